# A server may end tokens with their session, or all of a client and user after a replay: no other
# scenario may meanwhile.
@serial
Feature: Token revocation
  What revocation ends, and for whom.

  Background:
    Given a client whose flow works

  @revocation.refresh-token
  Rule: The public client MUST be able to revoke its refresh token
    Scenario: a fresh refresh token
      Given tokens from a complete flow
      When the client revokes its refresh token
      Then the revocation endpoint answers 200

  @revocation.refresh-token-effective
  Rule: A revoked refresh token MUST be dead
    Scenario: the revoked refresh token is used
      Given refresh tokens that work
      And tokens from a complete flow
      When the client revokes its refresh token
      And the client uses the revoked refresh token
      Then the token endpoint refuses with invalid_grant, invalid_request

  @revocation.access-token
  Rule: Access tokens SHOULD be revocable
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the client revokes its access token
      Then the revocation endpoint answers 200, at the least unsupported_token_type

  @revocation.access-token-effective
  Rule: A revoked access token MUST no longer be accepted
    Scenario: the revoked access token is used
      Given an access token that works
      When the client revokes its access token
      And the access token is used after its revocation
      Then the access token no longer works

  @revocation.cascade
  Rule: Revoking the refresh token SHOULD end the access tokens of the grant
    Scenario: the access token of a revoked refresh token is used
      Given an access token that works
      When the client revokes its refresh token
      And the access token is used once more
      Then the access token has ended too, unless it is self-contained

  @revocation.unknown-token
  Rule: Revoking an unknown token MUST succeed silently
    Scenario: an invented token
      When the client revokes an invented token
      Then the revocation endpoint answers 200, at the least unsupported_token_type

  @revocation.hint-is-only-a-hint
  Rule: A wrong or unknown token_type_hint MUST NOT change the result
    Scenario Outline: a refresh token with the hint <hint>
      Given refresh tokens that work
      And tokens from a complete flow
      When the client revokes its refresh token with the token_type_hint <hint> and uses it
      Then the hint changes nothing
      Examples:
        | hint              |
        | access_token      |
        | conformance_probe |

  @revocation.foreign-token
  Rule: A client MUST NOT revoke the tokens of another client
    Scenario: a refresh token
      Given refresh tokens that work, if any are issued
      And tokens from a complete flow
      When another client revokes the refresh token
      Then the refresh token still works
    Scenario: an access token
      Given an access token that works
      When another client revokes the access token
      Then the access token still works
