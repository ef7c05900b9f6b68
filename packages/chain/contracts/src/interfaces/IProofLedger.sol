// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Bundle} from "../libraries/Bundle.sol";

/// @notice What every provider holds, which periods it proved, which it missed. One Merkle-sum tree per provider;
/// the tree at a period's start is what is challenged in it. Knows nothing of money. Rules: docs/spec/settlement.md
/// sections 1 to 4.
interface IProofLedger {
    /// @param root Of the provider tree, zero when it never held a deal.
    /// @param weight Payload leaves in it.
    struct Snapshot {
        bytes32 root;
        uint64 weight;
        uint8 depth;
    }

    /// @notice How a provider stands now.
    /// @param any False when it never proved a period; then `last` says nothing.
    /// @param last The newest period it committed to or proved, taken back or not.
    /// @param auditOwed An audit of `last` is owed: it can prove nothing else until it is answered or slashed.
    /// @param auditNext The next commit owes an audit.
    /// @param openDisputes Disputes against it without an end yet.
    /// @param oldestDisputed The first period under dispute, when there is one.
    /// @param terminatedAt Its deals end here at the latest; zero while it is not terminated.
    /// @param finalThrough The first period that is not final.
    struct Standing {
        bool any;
        uint64 last;
        bool auditOwed;
        bool auditNext;
        uint8 openDisputes;
        uint64 oldestDisputed;
        uint64 terminatedAt;
        uint64 finalThrough;
    }

    /// @notice A slot's leaf was replaced; `deal` is zero when it was freed. `root`, `weight` and `depth` are
    /// those of the provider's tree after the change.
    event SlotChanged(
        address indexed provider, uint32 slot, bytes32 indexed deal, bytes32 root, uint64 weight, uint8 depth
    );
    /// @notice Proven in direct mode.
    event PeriodProven(address indexed provider, uint64 indexed period);
    /// @notice Proven by commitment to a bundle. A second topic would cost every period 109 gas.
    event PeriodCommitted(address indexed provider, uint64 period, bytes32 bundleRoot);
    event AuditAnswered(address indexed provider, uint64 indexed period);
    /// @notice A lost dispute or audit took the period's mark back; the next commit owes an audit.
    event PeriodRevoked(address indexed provider, uint64 indexed period);
    /// @notice Written down as missed, by report or by a lost dispute or audit.
    event PeriodMissed(address indexed provider, uint64 indexed period);
    /// @notice The provider proves nothing any more; its deals end at `terminatedAt` at the latest.
    event ProviderTerminated(address indexed provider, uint64 terminatedAt);

    error ProofsCallerNotMarket(address caller);
    error ProofsCallerNotBeacon(address caller);
    error ProofsCallerNotRegistry(address caller);
    error ProofsCallerNotDisputes(address caller);
    /// @notice `provider` is zero when the caller operates none.
    error ProofsCallerNotOperator(address provider, address caller);
    /// @notice See types/RuleParams.sol for what they need.
    error ProofsRulesInvalid();
    error ProofsPeriodNotStarted(uint64 period, uint256 start);
    error ProofsWindowClosed(uint64 period, uint256 deadline);
    error ProofsWindowOpen(uint64 period, uint256 deadline);
    error ProofsSeedMissing(uint64 period);
    error ProofsAlreadyProven(uint64 period);
    error ProofsAnswerCount(uint256 expected, uint256 actual);
    error ProofsTreeEmpty(address provider, uint64 period);
    error ProofsSnapshotGone(address provider, uint64 period);
    /// @notice 0 and 1 stand for something else.
    error ProofsBundleInvalid(bytes32 bundleRoot);
    /// @notice Not marked, not by a commitment, or too long ago.
    error ProofsNotCommitted(address provider, uint64 period);
    error ProofsAuditOwed(address provider, uint64 period);
    error ProofsAuditNotOwed(address provider);
    /// @notice `usable` must be a period after the audited one, with a seed, and over; or the audited one itself, 30
    /// periods later, when none of those between had one.
    error ProofsAuditNotLate(address provider, uint64 period, uint64 usable);
    /// @notice In `usable` the chain could be used: the audit does not expire, it is slashed.
    error ProofsAuditNotExpired(address provider, uint64 period, uint64 usable);
    /// @notice A dispute against a period 8 or more back is still open; what it is judged by must stay.
    error ProofsDisputeOpen(address provider, uint64 period);
    error ProofsDisputesFull(address provider, uint256 most);
    error ProofsDisputeTooLate(uint64 period, uint256 until);
    error ProofsPeriodFinal(address provider, uint64 period);
    /// @notice Marked, void, or nothing to prove.
    error ProofsNotMissed(address provider, uint64 period);
    error ProofsMissRecorded(address provider, uint64 period);
    /// @notice Reports reach to the end of the block of 30 after that of the first period that is not final.
    error ProofsMissTooFar(address provider, uint64 period, uint64 until);
    error ProofsTerminated(address provider, uint64 terminatedAt);
    /// @notice Needs 14 increasing missed periods with no marked one between, and no final marked one after.
    error ProofsTerminationInvalid(address provider);

    /// @notice Commits to the bundle of a period: the whole proof of a provider, whatever it stores. Only an
    /// operator, once per period, after the seed and before the deadline. A commitment for a period without
    /// weight is not refused, to save reading the tree, and cannot help: it owes what nobody can answer.
    function commitPeriod(uint64 period, bytes32 bundleRoot) external;

    /// @notice Proves a period in direct mode: answers to global challenges 0 .. k-1, in order. Only the
    /// provider's operator, once per period, after the seed and before the deadline.
    /// @param answers Encoded as libraries/AnswerCheck.sol says.
    function provePeriod(address provider, uint64 period, bytes[] calldata answers) external;

    /// @notice Answers the owed audit: entries global 0 .. k-1 of the committed bundle, in order. By anybody.
    /// @param openings Encoded as libraries/Bundle.sol says.
    function answerAudit(address provider, bytes[] calldata openings) external;

    /// @notice Writes down that a provider missed a period that is not final yet. By anybody, once.
    function reportMissed(address provider, uint64 period) external;

    /// @notice Ends a provider that missed 14 periods in a row. By anybody.
    /// @param periods Increasing; each written down as missed or missed by what is still known.
    function terminateProvider(address provider, uint64[] calldata periods) external;

    /// @notice Takes a verified seed. Only the beacon.
    function acceptSeed(uint64 period, bytes32 seed) external;

    /// @notice `operator` works for `provider` from now on, `former` no more; either may be zero. Only the registry.
    function setOperator(address provider, address former, address operator) external;

    /// @notice Puts a deal into an empty slot, growing the tree when the slot is the first beyond it. Only the market.
    /// @param path Siblings from the leaf level up, 40 bytes each: hash, weight (uint64).
    function fillSlot(
        address provider,
        uint32 slot,
        bytes calldata path,
        bytes32 deal,
        uint8 scheme,
        bytes32 root,
        uint64 leaves
    ) external;

    /// @notice Takes a deal out of its slot. Only the market.
    function freeSlot(
        address provider,
        uint32 slot,
        bytes calldata path,
        bytes32 deal,
        uint8 scheme,
        bytes32 root,
        uint64 leaves
    ) external;

    /// @notice The next commit owes an audit. Only the market, at a fault or a recovery.
    function forceAudit(address provider) external;

    /// @notice A dispute against a period begins: the period is not final before it ends. Only the disputes.
    /// @return committed What the period is judged by.
    /// @return open Disputes that were open against the provider before.
    function hold(address provider, uint64 period)
        external
        returns (Bundle.Committed memory committed, uint256 open);

    /// @notice A dispute ends well: gives back what its answer is judged by. Only the disputes, which revert when the
    /// answer is wrong.
    function release(address provider, uint64 period) external returns (Bundle.Committed memory committed);

    /// @notice A dispute is lost: the period's mark is taken back. Only the disputes.
    /// @return first The mark was still there: nothing was lost about this period before.
    function revoke(address provider, uint64 period) external returns (bool first);

    /// @notice The owed audit was not answered in time: its period is taken back. Only the disputes.
    /// @param usable See ProofsAuditNotLate; the audited period itself when 30 periods have passed without a seed.
    /// @return period The audited period.
    /// @return expired The chain was unusable: nobody is to be slashed.
    function failAudit(address provider, uint64 usable) external returns (uint64 period, bool expired);

    /// @notice What settlement asks: of the periods from <= p < through, how many were proven, where `through`
    /// is the smaller of `to` and the first period that is not final. Periods after a termination are not
    /// counted. Constant cost in history.
    function accrued(address provider, uint64 from, uint64 to)
        external
        view
        returns (uint64 through, uint64 proven);

    /// @notice The first period that is not final for this provider: until it is, nothing of it is paid.
    function finalThrough(address provider) external view returns (uint64);

    /// @notice Units charged for missed periods from <= p < to: 3 for each after the second of its block of 30.
    function faultUnits(address provider, uint64 from, uint64 to) external view returns (uint64);

    /// @notice How many periods of from <= p < to are marked.
    function provenBetween(address provider, uint64 from, uint64 to) external view returns (uint64);

    function isProven(address provider, uint64 period) external view returns (bool);

    /// @notice True when the window is over, there was a seed and something to prove, and the period is not
    /// marked. Reverts with ProofsSnapshotGone when the period is too long ago to say.
    function isMissed(address provider, uint64 period) external view returns (bool);

    /// @notice Whether a miss is written down.
    function isMissRecorded(address provider, uint64 period) external view returns (bool);

    function standingOf(address provider) external view returns (Standing memory);

    /// @notice True when nothing can be asked of the provider any more: empty tree, no open dispute, no owed
    /// audit, every period with weight final.
    function isIdle(address provider) external view returns (bool);

    /// @notice First period that the deals of a terminated provider no longer count; zero when it is not terminated.
    function terminatedAt(address provider) external view returns (uint64);

    /// @notice What a committed period is judged by; reverts with ProofsNotCommitted for any other.
    function committedOf(address provider, uint64 period) external view returns (Bundle.Committed memory);

    /// @notice The seed of a period, zero when it has none.
    function seedOf(uint64 period) external view returns (bytes32);

    /// @notice The provider an operator proves for, zero for none.
    function providerOf(address operator) external view returns (address);

    /// @notice The tree that is challenged in `period`: the one at its start. Not for periods to come, nor for
    /// periods older than the ring of snapshots (at least the last 8).
    function snapshotAt(address provider, uint64 period) external view returns (Snapshot memory);

    /// @notice The tree as it is now.
    function treeOf(address provider) external view returns (Snapshot memory tree, uint64 slotCount);

    /// @notice Global answers that direct mode and audits ask for.
    function directChallenges() external view returns (uint256);

    function disputeTime() external view returns (uint64);

    function answerTime() external view returns (uint64);

    function auditChance() external view returns (uint256);

    function market() external view returns (address);

    function registry() external view returns (address);

    function disputes() external view returns (address);

    function beacon() external view returns (address);
}
