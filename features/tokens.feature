Feature: ID Token and access token
  What the client and the resource server rely on: signature, issuer, audience, time and nonce.

  Background:
    Given a client whose flow works

  @idtoken.signature
  Rule: The ID Token signature MUST verify with a published key
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each ID Token verifies with the key set

  @idtoken.alg-not-none
  Rule: ID Tokens MUST NOT be unsigned
    Scenario: every configured client
      When every configured client runs the whole flow
      Then no ID Token has alg none

  @idtoken.alg-asymmetric
  Rule: A public client MUST NOT get MAC-protected ID Tokens
    Scenario: every configured client
      When every configured client runs the whole flow
      Then no ID Token is protected by a MAC

  @idtoken.kid
  Rule: With several published keys the header MUST say which one signed
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each ID Token names its key, if several are published

  @idtoken.no-embedded-keys
  Rule: The header SHOULD NOT carry or point at key material
    Scenario: every configured client
      When every configured client runs the whole flow
      Then no ID Token carries or points at keys

  @idtoken.iss
  Rule: iss MUST be the issuer identifier
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each ID Token names the issuer

  @idtoken.aud
  Rule: aud MUST contain the client_id
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each ID Token is addressed to its client

  @idtoken.times
  Rule: exp and iat MUST be numeric, sane and current
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each ID Token was issued now and expires later

  @idtoken.nonce
  Rule: The nonce of the request MUST be repeated unchanged
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each ID Token repeats the nonce

  @idtoken.sub-form
  Rule: sub MUST be a string of at most 255 ASCII characters
    Scenario: every configured client
      When every configured client runs the whole flow
      Then the subject of each ID Token is a short string

  @idtoken.sub-stable
  Rule: The same user at the same client MUST keep the same sub
    Scenario: two browsers
      Given tokens from a complete flow
      When the client runs the whole flow in a new browser
      Then the ID Tokens of a client name the same subject

  @idtoken.at-hash
  Rule: at_hash, when given, MUST be that of the access token
    Scenario: every configured client
      When every configured client runs the whole flow
      Then the at_hash of each ID Token is that of its access token

  @idtoken.type-distinct
  Rule: ID Tokens and access tokens MUST NOT be taken for one another
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each ID Token differs from its access token in type or audience

  @at.unguessable
  Rule: Access and refresh tokens MUST NOT be guessable
    Scenario: eight grants
      When the client runs the whole flow 8 times
      Then the access tokens differ and may hold 128 bits of entropy
      And so do the refresh tokens, where any are issued

  @at.signed
  Rule: Structured access tokens MUST be integrity protected
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each JWT access token verifies with the key set

  @at.typ
  Rule: JWT access tokens SHOULD be explicitly typed
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each JWT access token has typ at+jwt

  @at.required-claims
  Rule: RFC 9068 tokens MUST carry the seven mandatory claims
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each at+jwt carries iss, exp, aud, sub, client_id, iat and a jti of its own

  @at.audience
  Rule: Access tokens SHOULD be restricted to a resource server
    Scenario: JWT access tokens
      When every configured client runs the whole flow
      Then each JWT access token is for a resource
    Scenario: what introspection says
      Given a resource server that may introspect
      And tokens from a complete flow
      When the resource server introspects the access token
      Then the token is for a resource

  @at.subject-not-client
  Rule: In a user grant the subject SHOULD NOT be that of the client
    Scenario: every configured client
      When every configured client runs the whole flow
      Then no JWT access token has the client as subject
