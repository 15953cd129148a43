Feature: CORS and observability
  Browser applications can read what they need and nothing else; operators can find a request.

  Background:
    Given a client whose flow works

  @cors.token-endpoint
  Rule: Browser-based clients MUST be able to read token endpoint answers
    Scenario: a code exchange from the allowed origin
      Given an authorization code
      When the client redeems it from its allowed origin
      Then the answer is readable from the allowed origin
    Scenario: an error for the allowed origin
      When the client redeems an invented code from its allowed origin
      Then the error is readable from the allowed origin

  @cors.authorization-endpoint-closed
  Rule: The authorization endpoint MUST NOT support CORS
    Scenario: a request with an Origin
      When a script of a foreign origin requests the authorization endpoint
      Then the answer is not readable from that origin
    Scenario: a preflight
      When a script of a foreign origin sends a preflight to the authorization endpoint
      Then the answer is not readable from that origin

  @obs.correlation-id
  Rule: Answers MAY carry a request identifier that operators can correlate
    Scenario: authorization and token endpoint
      When the client runs the whole flow
      Then the answers carry a request identifier
