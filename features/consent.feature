Feature: Consent
  The user decides on what he is shown, in his own browser; and his decision covers nothing else.

  Background:
    Given a client whose flow works

  @consent.csrf-protected
  Rule: The approval MUST NOT be triggered by another site
    Scenario Outline: a foreign site sends <form> of another browser
      Given a user who is about to approve
      And another browser on the same page
      When a foreign site makes the first browser send <form>
      Then nothing is approved
      Examples:
        | form                    |
        | its form                |
        | its form without guards |
    Scenario: the approval is sent by another browser
      Given a user who is about to approve
      When another browser sends his approval
      Then no code is delivered
    Scenario Outline: <method> at the authorization endpoint
      Given a browser that stays signed in
      When the browser sends the authorization request by <method>
      Then no code is delivered
      Examples:
        | method  |
        | HEAD    |
        | PUT     |
        | OPTIONS |

  @consent.request-unchanged
  Rule: An approval MUST NOT change the request that the user was shown
    Scenario Outline: <field> is another one
      Given a user who is about to approve
      When the user approves with <field> changed on the page
      Then the request stays as it was shown
      Examples:
        | field         |
        | redirect_uri  |
        | client_id     |
        | scope         |
        | response_type |

  @consent.no-silent-approval
  Rule: A client whose identity is not assured SHOULD NOT be approved silently
    Scenario Outline: a <kind> redirect_uri
      When the user comes back with a <kind> redirect_uri after an approval
      Then the user is shown a page before any code
      Examples:
        | kind        |
        | loopback    |
        | private-use |

  @consent.prompt-consent
  Rule: prompt=consent SHOULD ask for consent again
    Scenario Outline: <prompt>
      Given a browser that stays signed in
      When the client sends the authorization request with prompt set to "<prompt>"
      Then no code arrives unless the user decided again
      Examples:
        | prompt        |
        | consent       |
        | login consent |

  @consent.prompt-none-unapproved
  Rule: prompt=none MUST NOT bypass consent that was never given
    Scenario: a client that the user has not approved
      Given a user who has not approved the client
      When the client asks the same without interaction
      Then an error without interaction comes back: consent_required, interaction_required, login_required, account_selection_required, access_denied, invalid_scope
    Scenario: more than the user has approved
      Given another user who approved one scope alone
      When the client asks for all scopes without interaction
      Then no scope arrives that the user did not approve
