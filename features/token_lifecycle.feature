Feature: Introspection, logout
  What happens to tokens after they were issued.

  Background:
    Given a client whose flow works

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
