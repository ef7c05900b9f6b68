// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice What every provider holds and which periods it proved. One Merkle-sum tree per provider; the tree
/// at a period's start is what is challenged in it. Knows nothing of money.
interface IProofLedger {
    /// @param root Of the provider tree, zero when it never held a deal.
    /// @param weight Payload leaves in it.
    struct Snapshot {
        bytes32 root;
        uint64 weight;
        uint8 depth;
    }

    /// @notice A slot's leaf was replaced; `deal` is zero when it was freed. `root`, `weight` and `depth` are
    /// those of the provider's tree after the change.
    event SlotChanged(
        address indexed provider, uint32 slot, bytes32 indexed deal, bytes32 root, uint64 weight, uint8 depth
    );
    event PeriodProven(address indexed provider, uint64 indexed period);

    error ProofsCallerNotMarket(address caller);
    error ProofsCallerNotOperator(address operator, address caller);
    error ProofsChallengesInvalid(uint256 challenges);
    error ProofsPeriodNotStarted(uint64 period, uint256 start);
    error ProofsWindowClosed(uint64 period, uint256 deadline);
    error ProofsSeedMissing(uint64 period);
    error ProofsAlreadyProven(uint64 period);
    error ProofsAnswerCount(uint256 expected, uint256 actual);
    error ProofsTreeEmpty(address provider, uint64 period);
    error ProofsSnapshotGone(address provider, uint64 period);

    /// @notice Proves a period in direct mode: answers to global challenges 0 .. k-1, in order. Only the
    /// provider's operator, once per period, after the seed and before the deadline.
    /// @param answers Encoded as libraries/AnswerCheck.sol says.
    function provePeriod(address provider, uint64 period, bytes[] calldata answers) external;

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

    /// @notice What settlement asks: of the periods from <= p < through, how many were proven, where `through`
    /// is the smaller of `to` and the first period whose outcome is not final yet. Constant cost in history.
    function accrued(address provider, uint64 from, uint64 to)
        external
        view
        returns (uint64 through, uint64 proven);

    /// @notice The first period whose outcome for this provider is not final.
    function finalThrough(address provider) external view returns (uint64);

    /// @notice How many periods of from <= p < to were proven.
    function provenBetween(address provider, uint64 from, uint64 to) external view returns (uint64);

    function isProven(address provider, uint64 period) external view returns (bool);

    /// @notice True when the period is over for this provider, had a seed and something to prove, and was not
    /// proven. Reverts with ProofsSnapshotGone when the period is too long ago to say.
    function isMissed(address provider, uint64 period) external view returns (bool);

    /// @notice The tree that is challenged in `period`: the one at its start. Not for periods to come, nor for
    /// periods older than the ring of snapshots (at least the last 8).
    function snapshotAt(address provider, uint64 period) external view returns (Snapshot memory);

    /// @notice The tree as it is now.
    function treeOf(address provider) external view returns (Snapshot memory tree, uint64 slotCount);

    /// @notice Global answers that direct mode asks for.
    function directChallenges() external view returns (uint256);

    function market() external view returns (address);

    function registry() external view returns (address);

    function beacon() external view returns (address);
}
