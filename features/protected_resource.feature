Feature: Protected resource and UserInfo
  The API opens for a valid token and for nothing else.

  Background:
    Given a client whose flow works

  @rs.valid-token
  Rule: A valid token in the Authorization header MUST open the resource
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the client calls the resource with its access token
      Then the resource answers

  @rs.scheme-case-insensitive
  Rule: The authentication scheme MUST be matched without regard to case
    Scenario Outline: <scheme>
      Given tokens that open the resource
      When the client calls the resource with the scheme written <scheme>
      Then the resource answers
      Examples:
        | scheme |
        | bearer |
        | BEARER |

  @rs.no-token-denied
  Rule: Without a token nothing MUST be served
    Scenario: no Authorization header
      Given tokens that open the resource
      When the client calls the resource without a token
      Then the resource refuses

  @rs.no-token-challenge
  Rule: The refusal MUST carry a WWW-Authenticate challenge
    Scenario: no Authorization header
      Given tokens that open the resource
      When the client calls the resource without a token
      Then the refusal carries a Bearer or DPoP challenge

  @rs.no-token-no-error
  Rule: A challenge to a request without a token SHOULD NOT contain error details
    Scenario: no Authorization header
      Given tokens that open the resource
      When the client calls the resource without a token
      Then the challenge contains no error

  @rs.challenge-syntax
  Rule: Challenges MUST parse and not repeat attributes
    Scenario: no token and an invented one
      Given tokens that open the resource
      When somebody calls the resource and userinfo without a token and with an invented one
      Then every challenge is well formed

  @rs.garbage-token
  Rule: What is no access token MUST be refused
    Scenario: a random token
      Given tokens that open the resource
      When the client calls the resource with an invented token
      Then the resource denies the token with invalid_token
    Scenario Outline: <credential>
      Given tokens that open the resource
      When the client calls the resource with <credential>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | credential      |
        | a malformed JWT |
        | an empty token  |
    Scenario: an authorization code
      Given tokens that open the resource
      And an authorization code
      When the client calls the resource with an unredeemed code
      Then the resource denies the token with invalid_token, invalid_request

  @rs.expired-token @serial @slow
  Rule: An expired token MUST be refused
    Scenario: the access token after its lifetime
      Given tokens of its own that open the resource
      When the client calls the resource with its access token after it expired
      Then the resource denies the token with invalid_token

  @rs.id-token-refused
  Rule: An ID Token MUST NOT work as access token
    Scenario: the ID Token as bearer token
      Given tokens of its own that open the resource
      When the client calls the resource with its ID Token
      Then the resource denies the token with invalid_token, invalid_request, insufficient_scope

  @rs.refresh-token-refused
  Rule: A refresh token MUST NOT work as access token
    Scenario: the refresh token as bearer token
      Given tokens of its own that open the resource
      When the client calls the resource with its refresh token
      Then the resource denies the token with invalid_token, invalid_request

  @rs.wrong-audience
  Rule: A token meant for another resource server MUST be refused
    Scenario: a token for the other resource
      Given tokens that open the resource
      When the client calls the resource with a token for the other resource
      Then the resource denies the token with invalid_token, insufficient_scope

  @rs.scope-enforced
  Rule: A token without the needed scope MUST be refused
    Scenario Outline: the narrower token in <place>
      Given tokens that open the resource
      And wider tokens that open the scope-protected operation
      When the client calls the operation with its narrower access token in <place>
      Then the operation refuses
      Examples:
        | place                       |
        | the header                  |
        | the form                    |
        | the query                   |
        | the password of HTTP Basic  |
        | the user name of HTTP Basic |

  @rs.scope-error
  Rule: Missing scope SHOULD be reported as 403 insufficient_scope
    Scenario: the narrower token
      Given tokens that open the resource
      And wider tokens that open the scope-protected operation
      When the client calls the operation with its narrower access token in the header
      Then the refusal says insufficient_scope

  @rs.query-token-ignored
  Rule: Tokens in the query string MUST NOT be honoured
    Scenario: a valid token in the query
      Given tokens of its own that open the resource
      When the client calls the resource with its access token in the query
      Then the resource ignores the query

  @userinfo.get
  Rule: UserInfo MUST answer a GET with the access token in the header
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the client calls userinfo with its access token
      Then userinfo answers with claims

  @userinfo.post
  Rule: UserInfo MUST also answer POST
    Scenario: the token in the header and an empty form
      Given tokens that open userinfo
      When the client posts to userinfo with its access token
      Then userinfo names the same subject as before

  @userinfo.media-type
  Rule: The media type MUST tell JSON from JWT
    Scenario: a fresh access token
      Given tokens that open userinfo
      When the client calls userinfo with its access token
      Then the media type tells what the answer is

  @userinfo.subject
  Rule: UserInfo MUST return the sub of the ID Token
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the client calls userinfo with its access token
      Then userinfo names the subject of the ID Token

  @userinfo.token-required
  Rule: UserInfo MUST refuse requests without a valid access token
    Scenario: no token
      Given tokens that open userinfo
      When the client calls userinfo without a token
      Then userinfo refuses
    Scenario: an invented token
      Given tokens that open userinfo
      When the client calls userinfo with an invented token
      Then the userinfo endpoint denies the token with invalid_token
    Scenario: an authorization code
      Given tokens that open userinfo
      And an authorization code
      When the client calls userinfo with an unredeemed code
      Then the userinfo endpoint denies the token with invalid_token
    Scenario Outline: <credential>
      Given tokens of its own that open userinfo
      When the client calls userinfo with <credential>
      Then the userinfo endpoint denies the token with invalid_token
      Examples:
        | credential        |
        | its ID Token      |
        | its refresh token |
    Scenario: a token that was not granted openid
      Given tokens that open userinfo
      When the client calls userinfo with a token that was not granted openid
      Then userinfo gives no claims
