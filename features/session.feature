Feature: The login session
  A browser stays signed in. Clients may ask for a younger authentication, and nobody else may use
  the session.

  Background:
    Given a client whose flow works

  @authn.prompt-none-combined
  Rule: prompt=none together with another value MUST be an error
    Scenario Outline: beside <value>
      Given a browser that stays signed in
      When the user waits at the authorization request with prompt set to "none <value>"
      Then an error and no page for the user comes back
      Examples:
        | value   |
        | login   |
        | consent |

  @authn.prompt-login
  Rule: prompt=login MUST force a new authentication despite an existing session
    Scenario Outline: <prompt>
      Given a browser that stays signed in
      When the client sends the authorization request with prompt set to "<prompt>"
      Then no code arrives unless the user signed in again
      Examples:
        | prompt        |
        | login         |
        | login consent |
    @serial
    Scenario: the new sign-in is dated
      Given tokens of a session that is some seconds old
      When the client runs the flow with prompt set to "login"
      Then no code arrives unless the authentication is newer

  @authn.max-age-reauth @serial
  Rule: max_age MUST bound the age of the authentication
    Scenario: a session that is older than that
      Given tokens of a session that is some seconds old
      When the client runs the flow with a max_age that the session exceeds
      Then no code arrives unless the authentication is newer

  @authn.max-age-auth-time
  Rule: A request with max_age MUST yield an ID Token with auth_time
    Scenario: ten minutes
      When the client runs the flow with max_age set to "600"
      Then the ID Token says when the user authenticated

  @authn.cookie-flags
  Rule: Session cookies SHOULD be Secure, HttpOnly and carry SameSite
    Scenario: the cookies without which the user must sign in again
      Given a new browser that stays signed in
      When each cookie is left out in turn
      Then the session cookies are guarded

  @authn.session-renewed
  Rule: Signing in SHOULD replace the session identifier
    Scenario: the cookies of the sign-in page
      When the user signs in, and his browser of before asks again
      Then the old cookies give no access to the session
    Scenario: a sign-in that was begun in another browser
      When another browser sends the sign-in that was begun in this one
      Then this browser must sign in itself
