Feature: Discovery
  The authorization server describes itself at a well-known location, and publishes its keys.

  @discovery.metadata-published
  Rule: The server SHOULD publish a metadata document
    Scenario: the well-known locations
      When the client reads the metadata
      Then one location answers with a JSON object

  @discovery.http-200-json
  Rule: A metadata answer MUST be a 200 application/json object
    Scenario: each document
      When the client reads the metadata
      Then each document is a 200 application/json answer

  @discovery.issuer-identical
  Rule: The issuer member MUST equal the issuer whose address was fetched
    Scenario: each document
      When the client reads the metadata
      Then each document names the configured issuer

  @discovery.issuer-url-form
  Rule: The issuer identifier MUST be an https URL with neither query nor fragment
    Scenario: each document
      When the client reads the metadata
      Then each issuer is an https URL without query and fragment, or local

  @discovery.core-members
  Rule: Metadata MUST name issuer, authorization and token endpoint and response types
    Scenario: each document
      When the client reads the metadata
      Then each document has issuer, authorization_endpoint, token_endpoint and response_types_supported

  @discovery.code-flow-listed
  Rule: Metadata MUST list the code response type and, among grant types, authorization_code
    Scenario: each document
      When the client reads the metadata
      Then each document lists the code flow

  @discovery.no-front-channel-token-types
  Rule: The server SHOULD NOT advertise response types that hand out tokens
    Scenario: each document
      When the client reads the metadata
      Then no document lists a response type with token or the implicit grant

  @discovery.no-password-grant
  Rule: The password grant MUST NOT be offered
    Scenario: each document
      When the client reads the metadata
      Then no document lists the password grant

  @discovery.endpoint-no-fragment
  Rule: Authorization and token endpoint URLs MUST NOT carry a fragment
    Scenario: each document
      When the client reads the metadata
      Then no endpoint carries a fragment

  @discovery.iss-parameter-flag
  Rule: A server that returns iss MUST say so in its metadata
    Scenario: iss was seen in a response
      Given a client whose flow works
      When the client sends the authorization request
      Then a response with iss agrees with authorization_response_iss_parameter_supported

  @discovery.documents-agree
  Rule: OAuth metadata and OpenID discovery document MUST say the same
    Scenario: both documents
      When the client reads the metadata
      Then the documents agree on what both say

  @discovery.forwarded-host-ignored
  Rule: Forwarding headers of a client MUST NOT change the addresses in the metadata
    Scenario Outline: a forged <header>
      When the client reads the metadata with a forged <header>
      Then no address in it changes
      Examples:
        | header            |
        | X-Forwarded-Host  |
        | X-Forwarded-Proto |
        | Forwarded         |

  @discovery.oidc-members
  Rule: An OpenID provider MUST list the members that OpenID Connect requires
    Scenario: each OpenID document
      When the client reads the metadata
      Then each OpenID document has jwks_uri, subject types and signature algorithms

  @discovery.oidc-rs256
  Rule: RS256 MUST be among the ID Token algorithms of an OpenID provider
    Scenario: each OpenID document
      When the client reads the metadata
      Then each OpenID document lists RS256

  @jwks.available
  Rule: The signing keys MUST be published at jwks_uri
    Scenario: the key set
      When the client fetches the key set
      Then it is a JWK Set with at least one key

  @jwks.no-private-keys
  Rule: The key set MUST NOT contain private or symmetric key material
    Scenario: the key set
      When the client fetches the key set
      Then no key has a private or symmetric member

  @jwks.rsa-modulus-2048
  Rule: RSA signing keys MUST be at least 2048 bits long
    Scenario: the key set
      When the client fetches the key set
      Then every RSA key that may sign has at least 2048 bits

  @transport.https-endpoints
  Rule: Every endpoint MUST be an https URL
    Scenario: the endpoints in the metadata
      When the client reads the metadata
      Then every endpoint is https, or local

  @prm.resource-identical
  Rule: The resource member MUST equal the identifier whose address was fetched
    Scenario: each document
      When the client looks for the metadata of the resource
      Then each document names the resource whose address was fetched

  @prm.response-format
  Rule: Protected resource metadata MUST be a 200 application/json object
    Scenario: each document
      When the client looks for the metadata of the resource
      Then each is an application/json object with resource and without empty lists

  @at.sender-constraint-offered
  Rule: Sender-constrained access tokens SHOULD be offered
    Scenario: the metadata
      When the client reads the metadata
      Then DPoP or certificate-bound access tokens are offered
