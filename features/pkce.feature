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
    Scenario: every value of the table
      When the client sends each code_challenge flagged challenge
      Then each challenge is answered as its row says, a refusal being invalid_request

  @pkce.method-unknown
  Rule: An unsupported challenge method MUST be answered with invalid_request
    Scenario: every value of the table
      When the client sends each code_challenge_method flagged method
      Then each method is refused with invalid_request, or means S256 where its row says so

  @pkce.method-plain-refused
  Rule: The plain method MUST NOT be accepted
    Scenario: a plain challenge
      When the client sends the authorization request with a plain code challenge and redeems what it gets
      Then the plain method is refused with invalid_request
    Scenario: a plain challenge without a method
      When the client sends the authorization request with its verifier as code challenge and no code_challenge_method and redeems what it gets
      Then the plain method is not implied: a refusal says invalid_request

  @pkce.code-flow-s256
  Rule: The S256 method MUST work end to end
    Scenario: every configured client
      When every configured client runs the whole flow
      Then the token endpoint issues tokens to each

  @pkce.verifier-range-accepted
  Rule: Every verifier length and character of the grammar MUST be accepted
    Scenario: every value of the table
      When the client runs the flow with each code_verifier flagged verifier
      Then each flow ends as its row says, a refusal being invalid_request, invalid_grant

  @pkce.verifier-mismatch
  Rule: A wrong code_verifier MUST yield no tokens
    Scenario: every value of the table
      When the client redeems a code with each code_verifier flagged wrong-verifier
      Then each flow ends as its row says, a refusal being invalid_grant, invalid_request

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
    Scenario: a challenge with an empty method
      When the client sends the authorization request with an empty code_challenge_method and redeems what it gets with a random verifier
      Then the request or the redemption is refused with invalid_request, invalid_grant

  @pkce.verifier-too-short
  Rule: Verifiers outside the grammar SHOULD be refused
    Scenario: every value of the table, with its correct challenge
      When the client runs the flow with each code_verifier flagged ungrammatical
      Then each flow ends as its row says, a refusal being invalid_request, invalid_grant
