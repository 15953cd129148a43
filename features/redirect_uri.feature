Feature: Redirect URI validation
  The redirect_uri of a request must equal a registered one, character by character. Everything
  else stays on a page of the authorization server.

  Background:
    Given a client whose flow works

  @authz.redirect-uri.registered-accepted
  Rule: Every registered redirect URI MUST work when sent verbatim
    Scenario: each one in turn
      When each registered redirect_uri is used
      Then the browser returns to each with a code

  @authz.redirect-uri.unregistered-host
  Rule: A redirect URI on a foreign host MUST be refused
    Scenario Outline: <flag>
      When the client asks for each redirect_uri flagged <flag>
      Then each redirect_uri is answered as its row says
      Examples:
        | flag |
        | foreign |
        | other-client |
    Scenario Outline: <flag> beside it
      When the client asks for each representative redirect_uri with each trigger flagged <flag>
      Then no answer leaves the authorization server
      Examples:
        | flag  |
        | error |
        | mode  |
    Scenario: nobody signed in
      Given a browser in which nobody signed in
      When the client asks for each representative redirect_uri with each trigger flagged logged-out
      Then no answer leaves the authorization server

  @authz.redirect-uri.host-confusion
  Rule: Look-alike hosts built around the registered one MUST be refused
    Scenario Outline: <flag>
      When the client asks for each redirect_uri flagged <flag>
      Then each redirect_uri is answered as its row says
      Examples:
        | flag |
        | userinfo |
        | look-alike |

  @authz.redirect-uri.string-variants
  Rule: URIs that differ in path, slash, encoding or letter case MUST be refused
    Scenario Outline: <flag>
      When the client asks for each redirect_uri flagged <flag>
      Then each redirect_uri is answered as its row says
      Examples:
        | flag |
        | path |
        | dot-segments |
        | encoding |
        | case |

  @authz.redirect-uri.query-added
  Rule: A query component that was not registered MUST make the redirect URI a mismatch
    Scenario Outline: <flag>
      When the client asks for each redirect_uri flagged <flag>
      Then each redirect_uri is answered as its row says
      Examples:
        | flag |
        | query |
        | preset-query |

  @authz.redirect-uri.fragment
  Rule: A redirect URI with a fragment MUST NOT be accepted
    Scenario: every row of the table
      When the client asks for each redirect_uri flagged fragment
      Then each redirect_uri is answered as its row says

  @authz.redirect-uri.scheme-or-port-changed
  Rule: Scheme and port MUST take part in the match for non-loopback URIs
    Scenario Outline: <flag>
      When the client asks for each redirect_uri flagged <flag>
      Then each redirect_uri is answered as its row says
      Examples:
        | flag |
        | scheme |
        | port |

  @authz.redirect-uri.parser-differential
  Rule: URIs that parsers read differently MUST NOT become redirect targets
    Scenario Outline: <flag>
      When the client asks for each redirect_uri flagged <flag>
      Then each redirect_uri is answered as its row says
      Examples:
        | flag |
        | parser |
        | homograph |

  @authz.redirect-uri.unsafe-scheme
  Rule: Relative references and script-capable schemes MUST NOT be accepted
    Scenario: every row of the table
      When the client asks for each redirect_uri flagged script
      Then each redirect_uri is answered as its row says
      And no page links to any of them

  @authz.redirect-uri.omitted
  Rule: A missing redirect_uri SHOULD only be tolerated when it is unambiguous
    Scenario: redirect_uri is left out
      When the client sends the authorization request without redirect_uri
      Then the browser is sent to no unregistered place, and to none of several by choice

  @authz.redirect-uri.plain-http-refused
  Rule: Plain http redirect URIs MUST NOT be used beyond the loopback interface
    Scenario: the configured cleartext redirect_uri
      When the client asks for its cleartext redirect_uri
      Then the redirect_uri is refused

  @authz.redirect-uri.loopback-any-port
  Rule: A native client MUST be able to use any port on the loopback address
    Scenario: every row of the table
      When the client asks for each redirect_uri flagged loopback-port
      Then each redirect_uri is answered as its row says

  @authz.redirect-uri.loopback-path-exact
  Rule: The loopback exception MUST cover the port only
    Scenario: every row of the table
      When the client asks for each redirect_uri flagged loopback
      Then each redirect_uri is answered as its row says

  @authz.redirect-uri.private-use-scheme
  Rule: Reverse-domain private-use scheme redirect URIs MUST be supported for native apps
    Scenario: the registered one
      When the client asks for its private-use redirect_uri
      Then the browser returns with a code
    Scenario: variants of it
      When the client asks for each redirect_uri flagged private-use
      Then each redirect_uri is answered as its row says
