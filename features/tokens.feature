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

  @at.signed
  Rule: Structured access tokens MUST be integrity protected
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each JWT access token verifies with the key set

  @at.required-claims
  Rule: RFC 9068 tokens MUST carry the seven mandatory claims
    Scenario: every configured client
      When every configured client runs the whole flow
      Then each at+jwt carries iss, exp, aud, sub, client_id, iat and a jti of its own
