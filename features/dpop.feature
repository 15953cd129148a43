Feature: Proof of possession
  Tokens are bound to a key, and nobody without the key can use them.

  Background:
    Given a client whose flow works

  @dpop.metadata-asymmetric
  Rule: Symmetric algorithms MUST NOT be advertised for proofs
    Scenario: the metadata
      When the client reads the metadata
      Then each document lists asymmetric algorithms for proofs alone

  @dpop.token-bound
  Rule: A token request with a valid proof MUST yield a token that is bound accordingly
    Scenario: a fresh ES256 proof
      Given an authorization code
      When the client redeems it with a proof
      Then the tokens are bound to its key

  @dpop.proof-cryptography
  Rule: Proofs without a valid asymmetric signature MUST be refused
    Scenario Outline: a proof <flaw>
      Given a client whose proofs work
      And an authorization code
      When the client redeems it with a proof <flaw>
      Then the proof is refused
      Examples:
        | flaw                                  |
        | whose signature is altered            |
        | that is not signed                    |
        | signed by HMAC with its public key    |
        | signed by a key that it does not name |

  @dpop.proof-target
  Rule: The proof MUST name this method and URI
    Scenario Outline: a proof <flaw>
      Given a client whose proofs work
      And an authorization code
      When the client redeems it with a proof <flaw>
      Then the proof is refused
      Examples:
        | flaw               |
        | for another method |
        | for another path   |
        | for another host   |
    Scenario: query and fragment are ignored
      Given a client whose proofs work
      And an authorization code
      When the client redeems it with a proof with a query in htu
      Then the token endpoint issues tokens or refuses a proof that no client makes

  @dpop.proof-freshness
  Rule: Proofs of another time MUST be refused
    Scenario Outline: a proof <flaw>
      Given a client whose proofs work
      And an authorization code
      When the client redeems it with a proof <flaw>
      Then the proof is refused
      Examples:
        | flaw         |
        | of yesterday |
        | of tomorrow  |

  @dpop.proof-structure
  Rule: Incomplete, disclosing or repeated proofs MUST be refused
    Scenario Outline: a proof <flaw>
      Given a client whose proofs work
      And an authorization code
      When the client redeems it with a proof <flaw>
      Then the proof is refused
      Examples:
        | flaw                 |
        | of type JWT          |
        | without jti          |
        | without htm          |
        | without jwk          |
        | with its private key |
    Scenario: two proofs
      Given a client whose proofs work
      And an authorization code
      When the client redeems it with a proof sent twice
      Then the proof is refused, be it by HTTP

  @dpop.nonce-challenge
  Rule: Nonce challenges MUST be well-formed and enforced
    Scenario: without a nonce, and with an invented one
      Given a client whose proofs work
      And an authorization code
      When the client redeems it without a nonce, and then with an invented one
      Then the challenge carries one nonce and the invented one is refused

  @dpop.code-key-binding
  Rule: dpop_jkt MUST bind the code to that key
    Scenario Outline: redeemed with a proof <flaw>
      Given a client whose proofs work
      And an authorization code for its key
      When the client redeems it with a proof <flaw>
      Then the code is refused to any other key
      Examples:
        | flaw           |
        | of another key |
        | that is absent |
    Scenario: by a pushed request
      Given a client whose proofs work
      And an authorization code for its key by a pushed request
      When the client redeems it with a proof of another key
      Then the code is refused to any other key

  @refresh.dpop-bound
  Rule: A public client's refresh token MUST be bound to the key of its proof
    Scenario Outline: a refresh with a proof <flaw>
      Given a refresh token of its key that works
      When the client refreshes with a proof <flaw>
      Then the token endpoint refuses with invalid_grant, invalid_dpop_proof, invalid_request
      Examples:
        | flaw           |
        | of another key |
        | that is absent |

  @rs.dpop-downgrade
  Rule: A bound token MUST be worthless as a bearer token
    Scenario: as a bearer token
      Given a bound token that opens the resource
      When the client calls the resource with it as a bearer token
      Then the resource denies the token with invalid_token, invalid_request
    Scenario: as a bearer token with a proof
      Given a bound token that opens the resource
      When the client calls the resource with it as a bearer token and a proof
      Then the resource denies the token with invalid_token, invalid_request

  @rs.dpop-proof-checked
  Rule: The resource MUST check presence, key, token hash, method and URI of the proof
    Scenario Outline: a proof <flaw>
      Given a bound token that opens the resource
      When the client calls the resource with it and a proof <flaw>
      Then the resource refuses the proof
      Examples:
        | flaw                          |
        | that is absent                |
        | of another key                |
        | with the ath of another token |
        | without ath                   |
        | for another method            |
        | for another path              |
        | sent twice                    |

  @cors.exposed-headers
  Rule: Browser clients SHOULD be able to read DPoP-Nonce and WWW-Authenticate
    Scenario: both header fields
      Given an authorization code
      When a script of the allowed origin meets the nonce and the challenge
      Then it can read both header fields

  @cors.preflight
  Rule: Preflights for the DPoP header MUST succeed at the token endpoint
    Scenario: a token request with a proof
      When a script of the allowed origin asks whether it may send a proof
      Then the preflight allows it
