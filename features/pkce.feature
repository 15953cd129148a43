Feature: Proof Key for Code Exchange
  A public client proves at the token endpoint that it began the flow. The challenge is mandatory,
  S256 is the only method, and a code is worth nothing without the verifier it was bound to.

  Background:
    Given a client whose flow works

  @pkce.metadata-s256
  Rule: Support for S256 SHOULD be discoverable
    Scenario: the metadata lists it
      When the client reads the metadata
      Then code_challenge_methods_supported contains S256

  @pkce.metadata-no-plain
  Rule: The plain method SHOULD NOT be advertised
    Scenario: the metadata does not list it
      When the client reads the metadata
      Then code_challenge_methods_supported does not contain plain

  @pkce.challenge-required
  Rule: A public client MUST NOT start a code flow without a code challenge
    Scenario: neither code_challenge nor code_challenge_method
      When the client sends the authorization request without a code challenge and redeems what it gets
      Then the request without a challenge is refused with invalid_request

  @pkce.challenge-empty
  Rule: An empty code_challenge MUST count as a missing one
    Scenario: code_challenge is empty
      When the client sends the authorization request with an empty code challenge and redeems what it gets
      Then the request without a challenge is refused with invalid_request

  @pkce.challenge-malformed
  Rule: A code challenge that breaks the grammar SHOULD be refused early
    Scenario Outline: <challenge>
      When the client sends the authorization request with a code_challenge of <challenge>
      Then the authorization server refuses with invalid_request
      Examples:
        | challenge               |
        | 42 characters           |
        | 129 characters          |
        | standard base64         |

  @pkce.method-unknown
  Rule: An unsupported challenge method MUST be answered with invalid_request
    Scenario: a made-up method
      When the client sends the authorization request with code_challenge_method set to "S999"
      Then the authorization server refuses with invalid_request
    Scenario: S256 in lower case
      When the client sends the authorization request with code_challenge_method set to "s256" and redeems what it gets
      Then the method is refused with invalid_request or means S256

  @pkce.method-plain-refused
  Rule: The plain method MUST NOT be accepted
    Scenario: a plain challenge
      When the client sends the authorization request with a plain code challenge and redeems what it gets
      Then the plain method is refused with invalid_request

  @pkce.code-flow-s256
  Rule: The S256 method MUST work end to end
    Scenario: every configured client
      When every configured client runs the whole flow
      Then the token endpoint issues tokens to each

  @pkce.verifier-range-accepted
  Rule: Every verifier length and character of the grammar MUST be accepted
    Scenario Outline: <length> characters with '-', '.', '_' and '~'
      Given an authorization code for a code_verifier of <length> characters
      When the client redeems it
      Then the token endpoint issues tokens
      Examples:
        | length |
        | 43     |
        | 128    |

  @pkce.verifier-mismatch
  Rule: A wrong code_verifier MUST yield no tokens
    Scenario: one character altered
      Given an authorization code
      When the client redeems it with the code_verifier altered
      Then the token endpoint refuses with invalid_grant, invalid_request
    Scenario: another verifier altogether
      Given an authorization code
      When the client redeems it with the code_verifier replaced
      Then the token endpoint refuses with invalid_grant, invalid_request

  @pkce.verifier-mismatch-error
  Rule: The error for a wrong verifier MUST be invalid_grant
    Scenario: another verifier
      Given an authorization code
      When the client redeems it with the code_verifier replaced
      Then the error is invalid_grant, at the least invalid_request

  @pkce.verifier-missing
  Rule: A code bound to a challenge MUST NOT be redeemed without a verifier
    Scenario: code_verifier is left out
      Given an authorization code
      When the client redeems it without code_verifier
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client

  @pkce.verifier-empty
  Rule: An empty code_verifier MUST count as missing
    Scenario: code_verifier is empty
      Given an authorization code
      When the client redeems it with code_verifier set to ""
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client

  @pkce.challenge-as-verifier
  Rule: The challenge itself MUST NOT work as verifier
    Scenario: the challenge is sent as code_verifier
      Given an authorization code
      When the client redeems it with the code_challenge as code_verifier
      Then the token endpoint refuses with invalid_grant, invalid_request
    Scenario: the token request asks for plain
      Given an authorization code
      When the client redeems it with the code_challenge as code_verifier and the method plain
      Then the token endpoint refuses with invalid_grant, invalid_request

  @pkce.cross-flow-verifier
  Rule: A code MUST NOT be redeemed with the verifier of another flow
    Scenario Outline: the <code> code with the verifier of the <verifier>
      Given an authorization code
      And another authorization code
      When the client redeems the <code> code with the code_verifier of the <verifier>
      Then the token endpoint refuses with invalid_grant, invalid_request
      Examples:
        | code   | verifier |
        | first  | second   |
        | second | first    |

  @pkce.verifier-without-challenge
  Rule: A verifier MUST be refused when the request carried no challenge
    Scenario: a verifier out of nowhere
      Given an authorization code that was issued without a code challenge
      When the client redeems it
      Then the token endpoint refuses with invalid_request, invalid_grant

  @pkce.no-challenge-no-token
  Rule: A code that was issued without a challenge MUST be worthless
    Scenario: no verifier either
      Given an authorization code that was issued without a code challenge
      When the client redeems it without code_verifier
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client

  @pkce.method-omitted
  Rule: Leaving out code_challenge_method MUST NOT switch PKCE off
    Scenario: a challenge without a method
      When the client sends the authorization request without code_challenge_method and redeems what it gets with a random verifier
      Then the request or the redemption is refused with invalid_request, invalid_grant

  @pkce.verifier-too-short
  Rule: Verifiers below 43 characters SHOULD be refused
    Scenario: 42 characters with their correct challenge
      When the client runs a flow with a code_verifier of 42 characters
      Then the request or the redemption is refused with invalid_request, invalid_grant
