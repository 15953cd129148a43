Feature: Authorization request
  The client sends the user agent to the authorization endpoint. A valid request starts the
  interaction; a faulty one is reported to the client or, where the client cannot be trusted to
  be meant, to the user alone.

  Background:
    Given a client whose flow works

  @authz.post-supported
  Rule: An OpenID provider MUST accept the authorization request as a form POST
    Scenario: the request is posted
      When the client posts the authorization request
      Then the browser returns with a code

  @authz.interaction-starts
  Rule: A valid request of a browser without a session MUST lead to user authentication
    Scenario: nobody signed in yet
      Given a browser in which nobody signed in
      When the browser opens the authorization request
      Then the authorization server asks the user to sign in

  @authz.no-code-before-login
  Rule: No code MUST be delivered to a browser in which nobody signed in
    Scenario: the request as usual
      Given a browser in which nobody signed in
      When the browser opens the authorization request
      Then no code is delivered
    Scenario: the client asks for no interaction
      Given a browser in which nobody signed in
      When the browser opens the authorization request with prompt set to "none"
      Then no code is delivered

  @authz.unknown-parameters-ignored
  Rule: Request parameters that the server does not know MUST be ignored
    Scenario: one unknown parameter
      When the client sends the authorization request with conformance_probe set to "1"
      Then the browser returns with a code
    Scenario: names that look like known ones
      When the client bends the authorization request by each row flagged unknown
      Then each name changes nothing, a refusal being invalid_request, invalid_scope

  @authz.duplicate-parameter
  Rule: A request that repeats a single-valued parameter SHOULD be refused
    Scenario: each parameter twice
      When the client bends the authorization request by each row flagged request
      Then each repetition should be refused with invalid_request, invalid_scope, invalid_client, unauthorized_client, unsupported_response_type

  @authz.duplicate-redirect-uri
  Rule: Repeating redirect_uri MUST NOT smuggle in an unregistered target
    Scenario: a foreign redirect_uri beside the registered one
      When the client bends the authorization request by each row flagged redirect-uri
      Then the browser is sent to the registered redirect_uri or nowhere

  @authz.response-type-missing
  Rule: A request without response_type MUST be answered with an error
    Scenario: response_type is left out
      When the client sends the authorization request without response_type
      Then the authorization server refuses with invalid_request, unsupported_response_type

  @authz.response-type-unknown
  Rule: An unknown response_type MUST be answered with an error
    Scenario: a made-up response_type
      When the client sends the authorization request with response_type set to "conformance_probe"
      Then the authorization server refuses with unsupported_response_type, invalid_request, unauthorized_client

  @authz.implicit-refused
  Rule: A public client MUST NOT obtain an access token from the authorization endpoint
    Scenario Outline: response_type <response_type>
      When the client sends the authorization request with response_type set to "<response_type>"
      Then no token arrives, and a refusal says unsupported_response_type, unauthorized_client, invalid_request, access_denied
      Examples:
        | response_type       |
        | token               |
        | id_token token      |
        | code token          |
        | code id_token token |

  @authz.client-id-missing
  Rule: A request without client_id MUST NOT lead to a redirect
    Scenario: client_id is left out
      When the client sends the authorization request without client_id
      Then the browser stays with the authorization server

  @authz.client-id-unknown
  Rule: A request with an unknown client_id MUST NOT lead to a redirect
    Scenario: the redirect_uri of a known client
      When an unknown client sends the authorization request
      Then the browser stays with the authorization server
    Scenario: a foreign redirect_uri
      When an unknown client sends the authorization request with a foreign redirect_uri
      Then the browser stays with the authorization server

  @authz.direct-error-status
  Rule: Errors that cannot be redirected SHOULD be shown with status 400 and a readable page
    Scenario: an unknown client
      When an unknown client sends the authorization request
      Then the user sees a page with status 400
    Scenario: an unregistered redirect_uri
      When the client asks for the redirect_uri "foreign host"
      Then the user sees a page with status 400

  @authz.markup-escaped
  Rule: Request values shown in pages MUST be encoded for HTML
    Scenario Outline: markup in <parameter>
      Given a browser in which nobody signed in
      When the client sends the authorization request with markup in <parameter>
      Then no page contains the markup as markup
      Examples:
        | parameter     |
        | state         |
        | client_id     |
        | redirect_uri  |
        | scope         |
        | login_hint    |
        | response_type |

  @authz.values-not-evaluated
  Rule: Request values MUST NOT be evaluated
    Scenario Outline: an expression in <parameter>
      Given a browser in which nobody signed in
      When the client sends the authorization request with an expression in <parameter>
      Then no response contains its result
      Examples:
        | parameter     |
        | state         |
        | client_id     |
        | redirect_uri  |
        | scope         |
        | login_hint    |
        | response_type |

  @authz.header-injection
  Rule: Line breaks inside parameters MUST NOT create response headers
    Scenario Outline: a line break in <parameter>
      When the client sends the authorization request with a line break in <parameter>
      Then no response carries the injected header
      Examples:
        | parameter    |
        | state        |
        | redirect_uri |
        | scope        |

  @authz.scope-omitted
  Rule: A request without scope MUST get a default or an invalid_scope error
    Scenario: scope is left out
      When the client sends the authorization request without scope
      Then the browser returns with a code or with invalid_scope, invalid_request
    Scenario: scope names nothing
      When the client asks for each scope flagged absent
      Then each flow ends as its row says, a refusal being invalid_scope, invalid_request

  @authz.scope-not-allowed-for-client
  Rule: A client SHOULD NOT obtain scopes that its registration excludes
    Scenario: a forbidden scope beside an allowed one
      When the client asks for a scope that it must not get and finishes the flow
      Then the forbidden scope is not granted
    Scenario: the forbidden scope in disguise
      When the client asks for each scope flagged forbidden
      Then no disguise yields the forbidden scope, a refusal being invalid_scope, access_denied, unauthorized_client, invalid_request

  @authz.oidc-optional-parameters
  Rule: Optional OpenID Connect parameters MUST NOT cause errors
    Scenario Outline: <parameter>
      When the client sends the authorization request with <parameter> set to "<value>"
      Then the browser returns with a code
      Examples:
        | parameter      | value          |
        | display        | popup          |
        | ui_locales     | xx             |
        | claims_locales | xx             |
        | acr_values     | urn:probe:none |

  @authz.request-uri-not-dereferenced
  Rule: The server SHOULD NOT fetch arbitrary request_uri locations
    Scenario: a request_uri on a host that listens
      When the client sends a request_uri on a host that listens
      Then nobody called that host

  @authz.resource-indicator-unknown
  Rule: A resource that the server does not know MAY be refused with invalid_target
    Scenario Outline: <resource>
      When the client asks for <resource> and finishes the flow
      Then the resource is refused with invalid_target, invalid_request or no token is addressed to it
      Examples:
        | resource                   |
        | an unknown resource        |
        | a resource with a fragment |
