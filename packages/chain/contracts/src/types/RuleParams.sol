// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice What settlement adds to the clock, fixed at deployment; docs/spec/settlement.md. In seconds:
/// 0 < answerTime <= disputeTime, 2 periods <= window + disputeTime, window + disputeTime + answerTime <= 6 periods.
/// @param disputeTime How long after its deadline a period can still change, D.
/// @param answerTime How long a provider has to answer a dispute, T.
/// @param auditChance One committed period in this many is audited by chance, at least 1.
/// @param directChallenges Global answers in direct mode and in an audit, 1 to 40.
struct RuleParams {
    uint64 disputeTime;
    uint64 answerTime;
    uint32 auditChance;
    uint8 directChallenges;
}
