Feature: Operation
  Errors reveal nothing, hostile input breaks nothing, and the clocks agree.

  Background:
    Given a client whose flow works

  @obs.no-internals @last
  Rule: Errors SHOULD NOT reveal implementation internals
    Scenario: every error of the run
      When a client presents invented secrets to every endpoint
      Then no error of the run shows internals

  @obs.no-secret-echo @last
  Rule: Answers SHOULD NOT repeat codes, verifiers, tokens or passwords of the request
    Scenario: every error of the run
      When a client presents invented secrets to every endpoint
      Then no error of the run repeats a secret of its request

  @obs.no-server-error @last
  Rule: Hostile input SHOULD NOT produce an internal error
    Scenario Outline: <input>
      When a client sends <input>
      Then the answer is no internal error
      Examples:
        | input                                       |
        | a state of 8192 characters                  |
        | a state that is not UTF-8                   |
        | a state with a NUL octet                    |
        | a scope of 2000 words                       |
        | a redirect_uri with a malformed address     |
        | a form of 1 MiB to the token endpoint       |
        | a code with a NUL octet                     |
        | a code that is not UTF-8                    |
    Scenario: every request of the run
      When the run comes to its end
      Then no answer of the run is an internal error

  @obs.clock-skew
  Rule: The clock of the server SHOULD agree with ours
    Scenario: the whole flow
      When the client runs the whole flow
      Then every answer has a Date within 30 seconds of our clock
