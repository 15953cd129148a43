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
    Scenario Outline: <variant>
      When the client asks for the redirect_uri "<variant>"
      Then the redirect_uri is refused
      Examples:
        | variant                           |
        | foreign host                      |
        | registered path on a foreign host |
    Scenario: the request has another fault too
      When the client asks for the redirect_uri "registered path on a foreign host" without response_type
      Then the redirect_uri is refused
    Scenario: the request asks for no interaction
      When the client asks for the redirect_uri "registered path on a foreign host" with prompt set to "none"
      Then the redirect_uri is refused

  @authz.redirect-uri.host-confusion
  Rule: Look-alike hosts built around the registered one MUST be refused
    Scenario Outline: <variant>
      When the client asks for the redirect_uri "<variant>"
      Then the redirect_uri is refused
      Examples:
        | variant                         |
        | sub-domain of the host          |
        | host as prefix of a foreign host |
        | host as userinfo of a foreign host |
        | host as userinfo with port      |
        | userinfo before the host        |
        | host behind a fragment          |
        | host with a letter before       |
        | host with a letter behind       |

  @authz.redirect-uri.string-variants
  Rule: URIs that differ in path, slash, encoding or letter case MUST be refused
    Scenario Outline: <variant>
      When the client asks for the redirect_uri "<variant>"
      Then the redirect_uri is refused
      Examples:
        | variant                      |
        | extra path segment           |
        | trailing slash toggled       |
        | dot segments                 |
        | dot segments that lead back  |
        | encoded dot segments         |
        | doubled slash                |
        | percent-encoded letter       |
        | letter in the other case     |
        | bare origin                  |
    Scenario: an upper-case host names the same server
      When the client asks for the redirect_uri "upper-case host"
      Then the redirect_uri should be refused

  @authz.redirect-uri.query-added
  Rule: A query component that was not registered MUST make the redirect URI a mismatch
    Scenario: one parameter more
      When the client asks for the redirect_uri "query added"
      Then the redirect_uri is refused

  @authz.redirect-uri.fragment
  Rule: A redirect URI with a fragment MUST NOT be accepted
    Scenario Outline: <variant>
      When the client asks for the redirect_uri "<variant>"
      Then the redirect_uri is refused
      Examples:
        | variant              |
        | fragment added       |
        | empty fragment added |

  @authz.redirect-uri.scheme-or-port-changed
  Rule: Scheme and port MUST take part in the match for non-loopback URIs
    Scenario Outline: <variant>
      When the client asks for the https redirect_uri "<variant>"
      Then the redirect_uri is refused
      Examples:
        | variant               |
        | http instead of https |
        | another port          |
    Scenario: the default port names the same origin
      When the client asks for the https redirect_uri "explicit default port"
      Then the redirect_uri should be refused

  @authz.redirect-uri.parser-differential
  Rule: URIs that parsers read differently MUST NOT become redirect targets
    Scenario Outline: <variant>
      When the client asks for the redirect_uri "<variant>"
      Then the redirect_uri is refused
      Examples:
        | variant                         |
        | backslash before the host       |
        | backslash behind the host       |
        | backslashes instead of slashes  |
        | line break in the path          |
        | tab in the host                 |
        | NUL behind the URI              |
        | leading space                   |
        | protocol-relative reference     |
        | scheme without slashes          |
        | full-width dot in the host      |
        | bracketed host                  |

  @authz.redirect-uri.unsafe-scheme
  Rule: Relative references and script-capable schemes MUST NOT be accepted
    Scenario Outline: <variant>
      When the client asks for the redirect_uri "<variant>"
      Then the redirect_uri is refused
      And the page does not link to it
      Examples:
        | variant             |
        | script              |
        | data                |
        | vbscript            |
        | about:blank         |
        | relative path       |
        | host without scheme |

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
    Scenario Outline: port <port>
      When the client asks for its loopback redirect_uri on port <port>
      Then the browser returns with a code
      Examples:
        | port  |
        | 49215 |
        | 61234 |

  @authz.redirect-uri.loopback-path-exact
  Rule: The loopback exception MUST cover the port only
    Scenario Outline: <variant>
      When the client asks for the loopback redirect_uri "<variant>"
      Then the redirect_uri is refused
      Examples:
        | variant                                      |
        | another path                                 |
        | another loopback address                     |
        | the unspecified address                      |
        | loopback address as prefix of a foreign host |
        | loopback with a query added                  |

  @authz.redirect-uri.private-use-scheme
  Rule: Reverse-domain private-use scheme redirect URIs MUST be supported for native apps
    Scenario: the registered one
      When the client asks for its private-use redirect_uri
      Then the browser returns with a code
    Scenario: another path in the same scheme
      When the client asks for the private-use redirect_uri "another path in the private-use scheme"
      Then the redirect_uri is refused
