Feature: Token response
  A successful answer of the token endpoint: one JSON object that says what was granted, for how
  long, and that nobody may keep a copy of.

  Background:
    Given a client whose flow works

  @tokenresp.status-and-type
  Rule: A successful token response MUST be a 200 application/json object
    Scenario: after a code exchange
      When the client looks at the token response
      Then it is a 200 application/json object
    Scenario: after a refresh
      When the client looks at the response of a refresh
      Then it is a 200 application/json object

  @tokenresp.access-token
  Rule: The response MUST contain a usable access token
    Scenario: after a code exchange
      When the client looks at the token response
      Then access_token is a non-empty string that fits a header

  @tokenresp.token-type
  Rule: The response MUST name the token type
    Scenario: after a code exchange
      When the client looks at the token response
      Then token_type is Bearer

  @tokenresp.expires-in-present
  Rule: The response SHOULD state the access token lifetime
    Scenario: after a code exchange
      When the client looks at the token response
      Then expires_in is present

  @tokenresp.expires-in-number
  Rule: expires_in MUST be a JSON number
    Scenario: after a code exchange
      When the client looks at the token response
      Then expires_in is a non-negative integer

  @tokenresp.short-lived
  Rule: Access tokens for public clients SHOULD live one hour at most
    Scenario: after a code exchange
      When the client looks at the token response
      Then the access token lives at most 3600 seconds

  @tokenresp.scope-reported
  Rule: When the granted scope differs from the requested one the response MUST say so
    Scenario: a known and an unknown scope
      When the client asks for a scope nobody knows and finishes the flow
      Then the response reports the effective scope
    Scenario: a scope that the client must not get
      When the client asks for a scope that it must not get and finishes the flow
      Then the response reports the effective scope

  @tokenresp.scope-not-widened
  Rule: The grant SHOULD NOT be broader than what was asked and approved
    Scenario: every configured client
      When every configured client runs the whole flow
      Then no reported scope is broader than the request
    @active
    Scenario: scopes in other shapes
      When the client asks for each scope flagged shape
      Then no scope is broader than its request, a refusal being invalid_scope, invalid_request, access_denied
    Scenario: a narrow request
      When the client asks for the scope of one value and finishes the flow
      Then no reported scope is broader than the request

  @tokenresp.no-store
  Rule: Token responses MUST NOT be cacheable
    Scenario: after a code exchange
      When the client looks at the token response
      Then Cache-Control contains no-store
    Scenario: after a refresh
      When the client looks at the response of a refresh
      Then Cache-Control contains no-store

  @tokenresp.pragma
  Rule: RFC 6749 responses MUST carry Pragma: no-cache
    Scenario: after a code exchange
      When the client looks at the token response
      Then Pragma contains no-cache

  @tokenresp.id-token
  Rule: A flow started with scope openid MUST return an ID Token
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each token response carries an ID Token
