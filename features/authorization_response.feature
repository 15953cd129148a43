Feature: Authorization response
  After login and consent the user agent brings code, state and issuer to the registered redirect
  URI, and nothing else. Errors come the same way.

  Background:
    Given a client whose flow works

  @authzresp.success
  Rule: The browser MUST return to the registered redirect URI with a code
    Scenario: every configured client
      When every configured client sends the authorization request
      Then the browser returns to each with a code and the unchanged state

  @authzresp.query-encoded
  Rule: The code flow MUST answer in the query component by default
    Scenario: no response_mode is asked for
      When the client sends the authorization request
      Then code and state stand in the query alone

  @authzresp.state-exact
  Rule: The state value MUST come back unchanged
    Scenario: every value of the table
      When the client sends each state flagged state
      Then each state comes back unchanged, or is refused where its row says so

  @authzresp.state-on-error
  Rule: Redirected errors MUST carry the state of the request
    Scenario Outline: <fault>
      When the client sends an authorization request with <fault>
      Then a redirected error carries the state
      Examples:
        | fault                    |
        | nobody signed in         |
      @active
      Examples:
        | fault                    |
        | no code_challenge        |
        | an unknown response_type |

  @authzresp.iss-when-advertised
  Rule: A server that announces the iss parameter MUST send it
    Scenario: every configured client
      When every configured client sends the authorization request
      Then each response carries iss once

  @authzresp.iss-required-oauth21
  Rule: Every authorization response MUST identify the issuer
    Scenario: a successful response
      When the client sends the authorization request
      Then the response carries iss
    @active
    Scenario: an error response
      When the client sends an authorization request with no code_challenge
      Then a redirected error carries iss

  @authzresp.iss-identical
  Rule: The iss value MUST be the issuer identifier
    Scenario: a successful response
      When the client sends the authorization request
      Then an iss in the response equals the issuer
    @active
    Scenario: an error response
      When the client sends an authorization request with no code_challenge
      Then an iss in the response equals the issuer

  @authzresp.iss-on-error
  Rule: Error responses MUST identify the issuer too
    Scenario Outline: <fault>
      When the client sends an authorization request with <fault>
      Then a redirected error carries the issuer as iss
      Examples:
        | fault                    |
        | nobody signed in         |
      @active
      Examples:
        | fault                    |
        | no code_challenge        |
        | an unknown response_type |

  @authzresp.no-tokens
  Rule: The response to response_type=code MUST NOT contain tokens
    Scenario: every configured client
      When every configured client sends the authorization request
      Then no response carries a token

  @authzresp.no-repeated-parameters
  Rule: Response parameters MUST NOT occur twice
    Scenario: a successful response
      When the client sends the authorization request
      Then no response parameter is repeated
    @active
    Scenario: an error response
      When the client sends an authorization request with no code_challenge
      Then no response parameter is repeated
    Scenario: each registered redirect_uri
      When each registered redirect_uri is used
      Then no response parameter is repeated

  @authzresp.code-unguessable
  Rule: Authorization codes MUST NOT be guessable
    Scenario: eight codes
      When the client obtains 8 codes
      Then all differ and may hold 128 bits of entropy

  @authzresp.registered-query-kept
  Rule: The query of the registered redirect URI MUST survive
    Scenario: a registered redirect_uri with a query
      When the client asks for its redirect_uri with a query
      Then the browser returns with a code and the registered query

  @authzresp.error-code-known
  Rule: Redirected errors MUST use a defined code and never travel with an authorization code
    Scenario Outline: <fault>
      When the client sends an authorization request with <fault>
      Then a redirected error is a registered one without a code beside it
      Examples:
        | fault                    |
        | nobody signed in         |
      @active
      Examples:
        | fault                    |
        | no code_challenge        |
        | an unknown response_type |
        | no response_type         |
        | a plain code_challenge   |

  @authzresp.secure-transport
  Rule: The authorization response MUST NOT be sent over cleartext
    Scenario: every configured client
      When every configured client sends the authorization request
      Then no hop to the client is cleartext

  @authzresp.form-post
  Rule: form_post MUST deliver an uncacheable self-submitting form to the registered redirect URI
    Scenario: a state with quotes and angle brackets
      When the client sends the authorization request by form_post with markup in the state
      Then a form posts code and state to the redirect_uri and is not cached
