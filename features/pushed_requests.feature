Feature: Pushed authorization requests
  What a client pushed counts, once, for that client alone.

  Background:
    Given a client whose flow works

  @par.metadata-consistent
  Rule: A server that accepts only pushed requests MUST publish where to push them
    Scenario: the metadata
      When the client reads the metadata
      Then each document that demands pushed requests says where to push them

  @par.push-and-use
  Rule: A pushed request MUST yield a reference that starts the flow
    Scenario: push and use
      When the client pushes the authorization request and the browser follows the reference
      Then the push is answered with a reference that leads to a code

  @par.nested-request-uri
  Rule: A pushed request that contains request_uri MUST be refused
    Scenario: a reference in the push
      Given pushed requests that lead to a code
      When the client pushes the request with a request_uri
      Then the push is refused

  @par.redirect-uri-registered
  Rule: A public client MUST NOT introduce a new redirect_uri by a push
    Scenario: an unregistered redirect_uri
      Given pushed requests that lead to a code
      When the client pushes the request with an unregistered redirect_uri
      Then the push or the reference is refused, and nobody is sent there

  @par.request-uri-client-bound
  Rule: A request_uri MUST work only for the client that pushed it
    Scenario: another client
      Given pushed requests that lead to a code
      When the browser follows the reference as another client
      Then the reference is refused to it

  @par.front-channel-override
  Rule: Parameters beside request_uri MUST NOT override what was pushed
    Scenario Outline: another <name>
      Given pushed requests that lead to a code
      When the browser follows the reference with another <name>
      Then the pushed values win, or the request is refused
      Examples:
        | name           |
        | redirect_uri   |
        | code_challenge |
        | scope          |

  @par.required-enforced
  Rule: Where pushing is mandatory, other requests MUST be refused
    Scenario: a request in the front channel
      Given pushed requests that lead to a code
      When the client sends the authorization request without pushing it
      Then the reference is refused
