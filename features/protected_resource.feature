Feature: Protected resource and UserInfo
  The API opens for a valid token and for nothing else.

  Background:
    Given a client whose flow works

  @rs.valid-token
  Rule: A valid token in the Authorization header MUST open the resource
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the client calls the resource with its access token
      Then the resource answers

  @rs.no-token-denied
  Rule: Without a token nothing MUST be served
    Scenario: no Authorization header
      Given tokens that open the resource
      When the client calls the resource without a token
      Then the resource refuses

  @rs.no-token-challenge
  Rule: The refusal MUST carry a WWW-Authenticate challenge
    Scenario: no Authorization header
      Given tokens that open the resource
      When the client calls the resource without a token
      Then the refusal carries a Bearer or DPoP challenge

  @rs.garbage-token
  Rule: An invented token MUST be refused
    Scenario: a random token
      Given tokens that open the resource
      When the client calls the resource with an invented token
      Then the resource denies the token with invalid_token
    Scenario Outline: <credential>
      Given tokens that open the resource
      When the client calls the resource with <credential>
      Then the resource denies the token with invalid_token, invalid_request
      Examples:
        | credential      |
        | a malformed JWT |
        | an empty token  |

  @userinfo.get
  Rule: UserInfo MUST answer a GET with the access token in the header
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the client calls userinfo with its access token
      Then userinfo answers with claims

  @userinfo.subject
  Rule: UserInfo MUST return the sub of the ID Token
    Scenario: a fresh access token
      Given tokens from a complete flow
      When the client calls userinfo with its access token
      Then userinfo names the subject of the ID Token

  @userinfo.token-required
  Rule: UserInfo MUST refuse requests without a valid access token
    Scenario: no token
      Given tokens that open userinfo
      When the client calls userinfo without a token
      Then userinfo refuses
    Scenario Outline: <credential>
      Given tokens that open userinfo
      When the client calls userinfo with <credential>
      Then the userinfo endpoint denies the token with invalid_token
      Examples:
        | credential        |
        | an invented token |
        | its ID Token      |
