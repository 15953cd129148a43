Feature: Token request
  The client redeems its code at the token endpoint: once, by POST, with everything that the code
  is bound to. Each fault has its error.

  Background:
    Given a client whose flow works

  @token.code-exchange
  Rule: A fresh code with verifier and client_id MUST be exchanged for tokens
    Scenario: every configured client
      When every configured client runs the whole flow
      Then the token endpoint issues tokens to each

  @token.no-secret-required
  Rule: A public client MUST NOT be asked for a shared secret
    Scenario: every configured client, no client credentials
      When every configured client runs the whole flow
      Then the token endpoint issues tokens to each

  @token.redirect-uri-mismatch
  Rule: A redirect_uri that differs from the one of the authorization request MUST be refused
    Scenario: another path
      Given an authorization code
      When the client redeems it with the redirect_uri altered
      Then the token endpoint refuses with invalid_grant, invalid_request
    Scenario: another registered redirect_uri
      Given an authorization code
      When the client redeems it with another registered redirect_uri
      Then the token endpoint refuses with invalid_grant, invalid_request

  @token.redirect-uri-omitted
  Rule: The token request MAY omit redirect_uri
    Scenario: redirect_uri is left out
      Given an authorization code
      When the client redeems it without redirect_uri
      Then the token endpoint issues tokens or refuses with invalid_grant, invalid_request

  @token.code-missing
  Rule: A code grant request without code MUST be an error
    Scenario: code is left out
      When the client sends a token request with no code
      Then the token endpoint refuses with invalid_request, invalid_grant, invalid_client

  @token.code-unknown
  Rule: An invented code MUST be an error
    Scenario: a random code
      When the client sends a token request with an invented code
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client
    Scenario: a random code and no code_verifier
      When the client sends a token request with an invented code and no code_verifier
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client
    Scenario Outline: <identifier>
      Given an authorization code
      When the client redeems <identifier> in place of the code
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client
      Examples:
        | identifier                          |
        | the state                           |
        | the nonce                           |
        | the code_challenge                  |
        | the code without its last character |
        | the code with a character more      |
        | the code twice over                 |
    Scenario: parts of two codes
      When the client redeems codes made of the parts of two
      Then the token endpoint refuses each with invalid_grant, invalid_request, invalid_client, unauthorized_client

  @token.code-single-use
  Rule: A code MUST buy tokens only once
    Scenario: the same request again
      Given a redeemed authorization code
      When the client redeems it again
      Then the token endpoint refuses with invalid_grant, invalid_request
    Scenario: again, without code_verifier
      Given a redeemed authorization code
      When the client redeems it again without code_verifier
      Then the token endpoint refuses with invalid_grant, invalid_request

  # Here and below: another replay may end the tokens of the same client and user meanwhile.
  @token.code-replay-revokes @serial
  Rule: A second complete redemption SHOULD revoke the tokens of the first
    Scenario: the tokens after a replay
      Given a redeemed authorization code whose tokens can be watched
      When the client redeems it again
      And the client uses the tokens of the first redemption
      Then the tokens no longer work

  @token.bad-replay-harmless @serial
  Rule: A replay with a wrong verifier SHOULD NOT destroy the legitimate tokens
    Scenario: the access token after a replay without proof
      Given a redeemed authorization code whose access token works
      When the client redeems it again with the code_verifier altered
      And the client uses the access token of the first redemption
      Then the replay is refused and the access token still works

  @token.code-race
  Rule: Concurrent redemptions of one code MUST succeed at most once
    Scenario: eight at the same moment, ten rounds
      When the client redeems each of 10 codes 8 times at the same moment
      Then no code is used more than once

  @token.code-lifetime @serial @slow
  Rule: An unused code SHOULD stop working within ten minutes
    Scenario: ten minutes and a margin later
      Given an authorization code
      When 10 minutes pass
      And the client redeems it
      Then the token endpoint refuses with invalid_grant

  @token.code-client-binding
  Rule: A code MUST work only for the client it was issued to
    Scenario: another client redeems it
      Given an authorization code
      When another client redeems it
      Then the token endpoint refuses with invalid_grant, invalid_client, unauthorized_client, invalid_request

  @token.client-id-missing
  Rule: A token request of a public client without client_id MUST be refused
    Scenario: client_id is left out
      Given an authorization code
      When the client redeems it without client_id
      Then the token endpoint refuses with invalid_request, invalid_client, invalid_grant, unauthorized_client

  @token.client-id-unknown
  Rule: A token request of an unknown client MUST be refused
    Scenario: with an invented code
      When the client sends a token request with an unknown client_id
      Then the token endpoint refuses with invalid_client, invalid_grant, invalid_request, unauthorized_client
    Scenario: with a fresh code
      Given an authorization code
      When an unknown client redeems it
      Then the token endpoint refuses with invalid_client, invalid_grant, invalid_request, unauthorized_client

  @token.grant-type-missing
  Rule: A token request without grant_type MUST be an error
    Scenario: grant_type is left out
      When the client sends a token request with no grant_type
      Then the token endpoint refuses with invalid_request, unsupported_grant_type, invalid_client

  @token.grant-type-unknown
  Rule: An unknown grant type MUST be an error
    Scenario: a made-up grant_type
      When the client sends a token request with an unknown grant_type
      Then the token endpoint refuses with unsupported_grant_type, invalid_request, unauthorized_client, invalid_client

  @token.password-grant
  Rule: The password grant MUST NOT be available
    Scenario: invented credentials
      When the client sends a token request with the password grant
      Then the password grant is refused with unsupported_grant_type, unauthorized_client, invalid_client, invalid_request

  @token.client-credentials-public
  Rule: A public client MUST NOT get anything through the client credentials grant
    Scenario: client_id alone
      When the client sends a token request with the client credentials grant
      Then the token endpoint refuses with unauthorized_client, invalid_client, unsupported_grant_type, invalid_request, invalid_grant
    Scenario: an empty client_secret
      When the client sends a token request with the client credentials grant and an empty secret
      Then the token endpoint refuses with unauthorized_client, invalid_client, unsupported_grant_type, invalid_request, invalid_grant

  @token.get-refused
  Rule: The token endpoint SHOULD NOT issue tokens on GET
    Scenario: a complete request by GET
      Given an authorization code
      When the client redeems it by GET
      Then no tokens are issued

  @token.query-parameters-refused
  Rule: Grant parameters in the request URI SHOULD NOT be honoured
    Scenario: everything in the query, nothing in the body
      Given an authorization code
      When the client redeems it with all parameters in the query
      Then no tokens are issued
    Scenario: one parameter in the query, the others in the body
      When the client bends the token request by each row flagged token-query
      Then no row yields tokens

  @token.duplicate-parameter
  Rule: A repeated parameter SHOULD make the token request invalid
    Scenario: each parameter twice
      When the client bends the token request by each row flagged token
      Then each token request is refused or changes nothing, as its row says

  @token.unknown-parameter-ignored
  Rule: Unknown token request parameters MUST be ignored
    Scenario: one unknown parameter
      Given an authorization code
      When the client redeems it with conformance_probe set to "1"
      Then the token endpoint issues tokens
    Scenario: names that look like known ones
      When the client bends the token request by each row flagged token-unknown
      Then each token request is refused or changes nothing, as its row says

  @token.error-format
  Rule: Token endpoint errors MUST be JSON objects with a defined error code and status 400
    Scenario Outline: <fault>
      When the client sends a token request with <fault>
      Then the error is well-formed
      Examples:
        | fault                        |
        | no code                      |
        | an invented code             |
        | no grant_type                |
        | an unknown grant_type        |
        | an unknown client_id         |
        | the client credentials grant |
    Scenario: a wrong verifier
      Given an authorization code
      When the client redeems it with the code_verifier replaced
      Then the error is well-formed
    Scenario: a redeemed code
      Given a redeemed authorization code
      When the client redeems it again
      Then the error is well-formed
