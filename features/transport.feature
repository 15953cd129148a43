Feature: Transport
  Codes, tokens and passwords travel over current TLS only, and nothing leads away from it.

  Background:
    Given a client whose flow works

  @transport.authorization-plaintext
  Rule: The authorization endpoint MUST NOT be served over cleartext http
    Scenario: the authorization request in cleartext
      When a browser opens the authorization request in cleartext
      Then it sees no page of the flow and gets no response

  @transport.token-plaintext
  Rule: The token endpoint and the resource MUST NOT process cleartext http
    Scenario: a token request in cleartext
      When the client redeems an invented code over TLS and in cleartext
      Then nothing was processed in cleartext
    Scenario: an access token in cleartext
      When an invented access token calls the resource over TLS and in cleartext
      Then nothing was processed in cleartext

  @transport.certificate
  Rule: Certificates MUST chain to a trusted root and match the host name
    Scenario: every host of the target
      When a client connects to every host of the target
      Then every certificate is valid

  @transport.tls-legacy
  Rule: TLS 1.0 and 1.1 MUST NOT be spoken
    Scenario Outline: TLS <version> alone
      Given hosts that answer a client of TLS 1.2
      When a client offers TLS <version> alone
      Then no host goes on with it
      Examples:
        | version |
        | 1.1     |
        | 1.0     |

  @transport.tls-modern
  Rule: TLS 1.3 SHOULD be available
    Scenario: a current client
      When a client connects to every host of the target
      Then TLS 1.3 is agreed on

  @transport.hsts
  Rule: Browser-facing pages SHOULD set Strict-Transport-Security
    Scenario: on the way to the login page
      Given a browser in which nobody signed in
      When the browser opens the authorization request
      Then every answer sets Strict-Transport-Security for a year

  @transport.no-downgrade-redirect @last
  Rule: No redirect MUST lead from https to http
    Scenario: every redirect of the run
      When the run comes to its end
      Then no redirect led from https to http

  @transport.allow-on-405 @last
  Rule: A 405 answer MUST list the allowed methods
    Scenario: methods that endpoints do not support
      When the endpoints are asked with methods of other endpoints
      Then every answer of the run with status 405 has Allow
