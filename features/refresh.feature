Feature: Refresh tokens
  Rotation and reuse, whose they are, what they yield and for how long.

  Background:
    Given a client whose flow works

  @refresh.success
  Rule: A refresh token MUST be exchanged for a new access token by the public client
    Scenario: a fresh refresh token
      When the client refreshes its tokens
      Then the token endpoint issues tokens

  @refresh.replay-protected
  Rule: Refresh tokens of public clients MUST be rotated or sender-constrained
    Scenario: a refresh token is used
      Given tokens from a complete flow
      When the client refreshes, and once more with the same token if it got no other
      Then the refresh token was replaced, or works only once

  @refresh.rotated-token-dead
  Rule: After rotation the previous refresh token MUST NOT work any more
    @serial
    Scenario: the old token after the new one was used
      Given a refresh token that was replaced, and the new one used
      When the client uses the first refresh token again
      Then the refresh token is dead, at the latest after a minute
    Scenario: eight uses at the same moment, ten rounds
      Given refresh tokens that work
      When the client uses each of 10 refresh tokens 8 times at the same moment
      Then no refresh token is used more than once

  @refresh.reuse-revokes-family
  Rule: The reuse of a rotated refresh token MUST end the active one of the same grant
    @serial
    Scenario: the newest token after a reuse of the first
      Given a refresh token that was replaced, and the new one used
      When the client uses the first refresh token again and then the newest
      Then the newest refresh token is dead, and so are the access tokens

  @refresh.client-bound
  Rule: A refresh token MUST work for its client only
    Scenario Outline: <who> client
      Given refresh tokens that work
      And tokens from a complete flow
      When <who> client uses the refresh token
      Then the token endpoint refuses with invalid_grant, invalid_client, unauthorized_client, invalid_request
      Examples:
        | who        |
        | another    |
        | an unknown |
    Scenario: no client
      Given refresh tokens that work
      And tokens from a complete flow
      When no client uses the refresh token
      Then a refusal is expected, and tokens are a note

  @refresh.scope-escalation
  Rule: A refresh MUST NOT widen the grant
    Scenario: a scope of the client that was not granted
      Given refresh tokens that work
      And tokens for less than the scope of the client
      When the client refreshes for its whole scope
      Then the token endpoint leaves the new scope out or refuses with invalid_scope, invalid_grant, invalid_request
    Scenario: a scope that nobody granted
      Given refresh tokens that work
      And tokens from a complete flow
      When the client refreshes for a scope that nobody granted
      Then the token endpoint leaves the new scope out or refuses with invalid_scope, invalid_grant, invalid_request
    Scenario: a part of the granted scope
      Given tokens from a complete flow
      When the client refreshes for one value of its scope
      Then the token has that scope at most, or the response says otherwise

  @refresh.unknown-token
  Rule: An invented refresh token MUST be refused
    Scenario: a random refresh token
      Given refresh tokens that work, if any are issued
      When the client sends a token request with an invented refresh_token
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client, unsupported_grant_type, unauthorized_client
    Scenario: no refresh token at all
      Given refresh tokens that work, if any are issued
      When the client sends a token request with no refresh_token
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client, unsupported_grant_type, unauthorized_client

  @refresh.access-token-refused
  Rule: An access token or an ID Token MUST NOT work as refresh token
    Scenario Outline: <which>
      Given refresh tokens that work, if any are issued
      And tokens from a complete flow
      When the client refreshes with its <which>
      Then the token endpoint refuses with invalid_grant, invalid_request, invalid_client, unsupported_grant_type, unauthorized_client
      Examples:
        | which        |
        | access token |
        | ID Token     |

  @refresh.id-token-continuity
  Rule: An ID Token from a refresh MUST continue the original authentication
    @serial
    Scenario: the ID Token of a refresh beside the first one
      Given tokens from a complete flow
      When the client refreshes its tokens a little later
      Then the ID Token continues the first one

  @refresh.resource-escalation
  Rule: A refresh MUST NOT reach resources outside the grant
    Scenario: another known resource
      Given tokens for one resource that can be refreshed for it
      When the client refreshes for another resource
      Then the other resource is refused with invalid_target, invalid_grant, invalid_request or no token is addressed to it

  @refresh.finite-lifetime @serial @slow
  Rule: Refresh tokens MUST expire, and rotation MUST NOT prolong a fixed lifetime
    Scenario: an unused refresh token
      Given refresh tokens that work
      And tokens from a complete flow
      When the client refreshes after the configured lifetime
      Then the token endpoint refuses with invalid_grant
    Scenario: a refresh token that was replaced halfway
      Given refresh tokens that work
      And tokens from a complete flow
      When the client refreshes after the configured lifetime, having refreshed halfway
      Then the token endpoint refuses with invalid_grant

  # Another scenario may end the tokens of the same client and user meanwhile.
  @refresh.ends-with-session @serial
  Rule: Logging out at the server SHOULD end the refresh tokens of the session
    Scenario: a refresh after logout
      Given refresh tokens that work
      And tokens from a complete flow in a new browser
      When the user signs out and the client refreshes
      Then the refresh token ended with the session
