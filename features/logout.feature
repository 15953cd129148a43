Feature: Logout
  The client sends the user to the end_session_endpoint. The session ends when the user means it,
  and the browser goes to a registered address or stays.

  Background:
    Given a client whose flow works

  @logout.unregistered-uri
  Rule: Logout MUST NOT redirect to an unregistered URI
    Scenario Outline: <place>, <with>
      Given a new browser after a logout that worked
      When the user is sent to sign out and on to <place> <with>
      Then the browser goes to no place that is not registered
      Examples:
        | place                  | with              |
        | a foreign host         | with the ID Token |
        | a foreign host         | with the client_id |
        | a foreign host         | with nothing else |
        | a longer path          | with the ID Token |
        | a longer host          | with the ID Token |
        | a host behind userinfo | with the ID Token |

  @logout.confirmation
  Rule: Without id_token_hint the user MUST be asked before being logged out
    Scenario: the user does not agree
      Given a new browser whose session shows without interaction
      When the user is sent to sign out without a word and does not confirm
      Then the session is alive

  @logout.session-ends
  Rule: After a confirmed logout the session MUST be gone
    Scenario: new and old cookies
      Given a new browser whose session shows without interaction
      When the user signs out and the client asks without interaction
      Then the session is gone, for the old cookies as well

  @logout.hint-checked
  Rule: A forged id_token_hint, or one of another client, MUST NOT log out silently
    Scenario Outline: <hint>
      Given a new browser whose session shows without interaction
      When the user is sent to sign out with <hint> and does not confirm
      Then the session is alive
      Examples:
        | hint                           |
        | a forged ID Token              |
        | an ID Token of another client  |
