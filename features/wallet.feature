Feature: Login with a wallet
  A credential signs its holder in: only one that a trusted issuer vouches for, only if its holder
  presents it, for this login; and only the browser that began the login hears of it.

  Background:
    Given a client whose flow works

  @wallet.key-binding
  Rule: A presentation MUST prove that its sender holds the key of the credential
    Scenario Outline: <what>
      When the wallet answers with <what>
      Then no code arrives anywhere
      Examples:
        | what                                          |
        | no key binding                                |
        | an altered signature of the holder            |
        | alg none in place of the holder's signature   |
        | a key of its own that signs it                |
        | the name and the key of another holder        |
        | a JWT of another typ as key binding           |

  @wallet.nonce-binding
  Rule: A presentation MUST have the nonce of the request
    Scenario Outline: <what>
      When the wallet answers with <what>
      Then no code arrives anywhere
      Examples:
        | what          |
        | another nonce |
        | no nonce      |

  @wallet.nonce-fresh
  Rule: Every request for a presentation MUST have a nonce of its own
    Scenario: two logins
      When the wallet fetches the requests of two logins
      Then each request has a nonce of its own

  @wallet.audience-binding
  Rule: A presentation MUST be meant for this verifier
    Scenario Outline: <what>
      When the wallet answers with <what>
      Then no code arrives anywhere
      Examples:
        | what             |
        | another audience |
        | no audience      |

  @wallet.presentation-integrity
  Rule: A key binding MUST cover what is presented with it
    Scenario Outline: <what>
      When the wallet answers with <what>
      Then no code arrives anywhere
      Examples:
        | what            |
        | another sd_hash |
        | no sd_hash      |

  @wallet.presentation-fresh
  Rule: A presentation MUST be recent
    Scenario: signed yesterday
      When the wallet answers with a key binding that is a day old
      Then no code arrives anywhere

  @wallet.issuer-trusted
  Rule: Only credentials of trusted issuers MUST sign anybody in
    Scenario: an issuer that nobody knows
      When the wallet answers with a credential of an unknown issuer
      Then no code arrives anywhere

  @wallet.credential-signature
  Rule: A credential MUST have the signature of its issuer
    Scenario Outline: <what>
      When the wallet answers with <what>
      Then no code arrives anywhere
      Examples:
        | what                                             |
        | an altered signature of the issuer               |
        | a credential with alg none                       |
        | a credential whose HMAC key is the issuer's name |
        | a credential signed by the key in its header     |

  @wallet.credential-validity
  Rule: A credential MUST be within its time of validity
    Scenario Outline: <what>
      When the wallet answers with <what>
      Then no code arrives anywhere
      Examples:
        | what                             |
        | an expired credential            |
        | a credential that is not valid yet |

  @wallet.credential-type
  Rule: A credential MUST be of the type that was asked for
    Scenario: another type
      When the wallet answers with a credential of another type
      Then no code arrives anywhere

  @wallet.disclosures
  Rule: Claims MUST count only where the issuer vouches for them
    Scenario: a disclosure with another salt
      When the wallet answers with a disclosure with another salt
      Then no code arrives anywhere
    Scenario: claims that the holder states himself
      When the wallet discloses nothing, and then states its claims itself
      Then no code arrives anywhere
    Scenario: one disclosure more
      When the wallet answers with one disclosure more
      Then no code should arrive anywhere

  @wallet.request-signed
  Rule: The request object MUST be signed by the verifier that it names
    Scenario: typ, alg, signature, client_id and expiry
      When the wallet fetches the request object
      Then the verifier has signed it

  @wallet.request-single-use
  Rule: The request object MAY be served once only
    Scenario: fetched twice
      When the wallet fetches the request object twice
      Then the second time there is none

  @wallet.stream-single-subscriber
  Rule: The response SHOULD reach one subscriber alone
    Scenario: two streams of one browser
      When the browser subscribes twice and the wallet answers
      Then one subscriber alone receives the code

  @wallet.browser-binding
  Rule: The response MUST reach the browser that began the login and nobody else
    Scenario: another browser listens
      When another browser subscribes in its place and the wallet answers
      Then the other browser receives no code
    Scenario: the answer to the wallet
      When the wallet answers
      Then the wallet itself receives no code

  @wallet.login-single-use
  Rule: A login MUST take one presentation
    Scenario: a presentation that was accepted is sent again
      When the wallet repeats its answer after it was accepted
      Then no code arrives anywhere
    Scenario: another presentation after one that was refused
      When the wallet answers once more after it was refused
      Then no code should arrive anywhere

  @wallet.login-lifetime @serial @slow
  Rule: A login SHOULD end when its request object does
    Scenario: the wallet takes longer
      When the wallet answers after its request has expired
      Then no code arrives anywhere
