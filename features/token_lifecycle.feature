Feature: Refresh, revocation, introspection, logout
  What happens to tokens after they were issued.

  Background:
    Given a client whose flow works

  @refresh.success
  Rule: A refresh token MUST be exchanged for a new access token by the public client
    Scenario: a fresh refresh token
      When the client refreshes its tokens
      Then the token endpoint issues tokens

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

  @introspection.active
  Rule: An authorised caller MUST see a valid token as active
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the resource server introspects the access token
      Then the token is active

  @introspection.requires-authorization
  Rule: Anonymous callers MUST NOT learn anything about tokens
    Scenario: no credentials
      Given tokens that the resource server sees as active, if it can ask
      When somebody without credentials introspects the access token
      Then nothing is learned about the token

  @logout.return
  Rule: A proper logout request MUST return to the registered URI with state
    Scenario: id_token_hint and post_logout_redirect_uri
      Given tokens from a complete flow in a new browser
      When the client sends the user to the end_session_endpoint
      Then the browser returns to the post_logout_redirect_uri with state
