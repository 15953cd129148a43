Feature: Introspection of what ended or never was
  The resource server learns that a token is inactive and nothing else; clients learn nothing.

  Background:
    Given a client whose flow works

  @introspection.client-id-insufficient
  Rule: A public client_id alone MUST NOT authorise introspection
    Scenario Outline: <whose> client asks
      Given tokens that the resource server sees as active, if it can ask
      When <whose> client introspects the access token by its client_id alone
      Then <whose> client learns nothing about the token
      Examples:
        | whose   |
        | its own |
        | another |

  @introspection.unknown-inactive
  Rule: Unknown tokens MUST be reported as inactive, not as errors
    Scenario: a random token
      Given tokens that the resource server sees as active
      When the resource server introspects an invented token
      Then the token is inactive

  @introspection.inactive-minimal
  Rule: Inactive answers SHOULD NOT reveal anything else
    Scenario: a random token
      Given tokens that the resource server sees as active
      When the resource server introspects an invented token
      Then the answer has no other member
    @serial
    Scenario: a revoked token
      Given tokens that the resource server sees as active
      When the resource server introspects the access token after the client revoked it
      Then the answer has no other member
    @serial @slow
    Scenario: an expired token
      Given tokens that the resource server sees as active
      When the resource server introspects the access token after it expired
      Then the answer has no other member

  @introspection.ended-inactive
  Rule: Expired and revoked tokens MUST be inactive
    Scenario: a revoked token
      Given tokens that the resource server sees as active
      When the resource server introspects the access token after the client revoked it
      Then the token is inactive
    @serial @slow
    Scenario: an expired token
      Given tokens that the resource server sees as active
      When the resource server introspects the access token after it expired
      Then the token is inactive
