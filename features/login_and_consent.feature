Feature: Login and consent
  The user proves who he is and decides; only then does a code exist.

  Background:
    Given a client whose flow works

  @authn.wrong-credentials
  Rule: A failed sign-in MUST NOT produce an authorization code
    Scenario: a wrong password
      Given a browser in which nobody signed in
      When the user signs in with a wrong password and the client asks again
      Then no request yields a code
      And no code is delivered

  @authn.prompt-none-without-session
  Rule: prompt=none without a session MUST return an error and show no UI
    Scenario: nobody signed in
      Given a browser in which nobody signed in
      When the browser opens the authorization request with prompt set to "none"
      Then an error without interaction comes back: login_required, interaction_required, consent_required, account_selection_required

  @authn.clickjacking
  Rule: Login, consent and error pages MUST NOT be framed by foreign sites
    Scenario: the pages on the way to a code
      Given a browser in which nobody signed in
      When the user signs in and is asked to consent
      Then every page forbids framing
    @active
    Scenario: an error page
      When an unknown client sends the authorization request
      Then every page forbids framing

  @authn.csp-frame-ancestors
  Rule: Framing protection SHOULD be expressed with Content Security Policy
    Scenario: the pages on the way to a code
      Given a browser in which nobody signed in
      When the user signs in and is asked to consent
      Then every page names its frame ancestors
    @active
    Scenario: an error page
      When an unknown client sends the authorization request
      Then every page names its frame ancestors

  @authn.referrer-policy
  Rule: The authorization request SHOULD NOT leak through the Referer header
    Scenario: the pages on the way to a code
      Given a browser in which nobody signed in
      When the user signs in and is asked to consent
      Then every page keeps its address

  @authn.no-third-party-content
  Rule: The authorization pages SHOULD NOT load third-party resources
    Scenario: the pages on the way to a code
      Given a browser in which nobody signed in
      When the user signs in and is asked to consent
      Then every page loads nothing foreign

  @authn.no-307
  Rule: A request that may carry credentials MUST NOT be redirected with status 307
    Scenario: sign-in and consent
      Given a browser in which nobody signed in
      When the user signs in and is asked to consent
      Then no redirect repeats a form
    Scenario: sign-in alone
      Given a browser in which nobody signed in
      When the client sends the authorization request
      Then no redirect repeats a form
    Scenario: neither
      Given a browser that stays signed in
      When the client sends the authorization request
      Then no redirect repeats a form

  @consent.decision-obtained
  Rule: The first grant for a client MUST rest on an authorization decision
    Scenario: every configured client, each in a new browser
      When the user signs in for every configured client in a new browser
      Then each grant rests on a decision

  @consent.denied
  Rule: A refusal by the user MUST reach the client as access_denied
    Scenario: the user denies
      Given a browser in which nobody signed in
      When the user denies the request
      Then the refusal reaches the client as access_denied
