Feature: Forged access tokens
  What an attacker makes of a valid token, without the key of the server, opens nothing.

  Background:
    Given a client whose flow works

  @rs.tampered-token
  Rule: A modified token MUST be refused
    Scenario Outline: the token <modification>
      Given tokens that open the resource
      When the client calls the resource with its access token <modification>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | modification                  |
        | altered at a quarter          |
        | altered in the middle         |
        | altered at three quarters     |
        | without its last 4 characters |
        | without its last quarter      |
        | without its second half       |
    Scenario Outline: the JWT <modification>
      Given tokens that open the resource
      When the client calls the resource with its JWT <modification>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | modification              |
        | with a later expiry       |
        | with a wider scope        |
        | with another subject      |
        | with an altered signature |
        | without its signature     |

  @rs.alg-none
  Rule: An unsigned JWT MUST be refused
    Scenario Outline: alg <alg>
      Given tokens that open the resource
      When the client calls the resource with an unsigned copy whose alg is <alg>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | alg                            |
        | none                           |
        | None                           |
        | nOnE                           |
        | NONE                           |
        | none and whose expiry is later |

  @rs.key-confusion
  Rule: A public key MUST NOT be accepted as an HMAC secret
    Scenario Outline: the key as <form>
      Given tokens that open the resource
      When the client calls the resource with a copy under HS256 keyed with the published key as <form>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | form                            |
        | PEM                             |
        | PEM without its last line break |
        | PKCS #1 PEM                     |
        | DER                             |
        | base64                          |
        | JWK                             |
        | certificate                     |

  @rs.attacker-key
  Rule: Keys brought along by the token MUST NOT be trusted
    Scenario Outline: signed by an attacker <bait>
      Given tokens that open the resource
      When the client calls the resource with a copy signed by an attacker <bait>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | bait                               |
        | under the kid of the server        |
        | under an unknown kid               |
        | with his key in the header         |
        | with his certificate in the header |
    Scenario Outline: a kid that is <kid>
      Given tokens that open the resource
      When the client calls the resource with a copy under HS256 whose kid is <kid>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | kid                         |
        | the path of an empty file   |
        | a query that yields the key |
    Scenario Outline: a <document> of the attacker
      Given tokens that open the resource
      When the client calls the resource with a copy signed by an attacker whose <document> the header points at
      Then the resource denies the token with invalid_token, invalid_request
      And nobody fetched what the header points at
      Examples:
        | document    |
        | key set     |
        | certificate |
