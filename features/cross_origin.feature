Feature: Cross-origin access
  Scripts of the client's own origin can read what a browser application needs, and those of other
  origins get nothing that belongs to the user.

  Background:
    Given a client whose flow works

  @cors.metadata-and-keys
  Rule: Metadata, key set and revocation endpoint SHOULD be readable cross-origin
    Scenario Outline: <what>
      When a script of the allowed origin asks for <what>
      Then it can read the answers, errors included
      Examples:
        | what                    |
        | the metadata            |
        | the key set             |
      @active
      Examples:
        | what                    |
        | a token to be revoked   |

  @cors.resource
  Rule: The protected resource and UserInfo MUST be usable from the client's origin
    Scenario: a preflight for the resource
      When a browser asks whether a script of the allowed origin may send a token to the resource
      Then it may
    Scenario: an answer of the resource
      When a script of the allowed origin sends an invented token to the resource
      Then it can read the answer
    Scenario: a preflight for UserInfo
      When a browser asks whether a script of the allowed origin may send a token to userinfo
      Then it should
    Scenario: an answer of UserInfo
      When a script of the allowed origin sends an invented token to userinfo
      Then it should be able to read the answer

  @cors.no-credentialed-reflection
  Rule: Arbitrary origins SHOULD NOT get credentialed access
    Scenario Outline: the origin <origin>
      When a script of the origin <origin> asks every endpoint
      Then no answer lets it in with credentials
      Examples:
        | origin                |
        | https://probe.invalid |
        | null                  |
