// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "./interfaces/IBeacon.sol";
import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {AnswerCheck} from "./libraries/AnswerCheck.sol";
import {Challenge} from "./libraries/Challenge.sol";
import {ProvenPeriods} from "./libraries/ProvenPeriods.sol";
import {ProviderTree} from "./libraries/ProviderTree.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {ScheduleParams} from "./types/ScheduleParams.sol";

/// @title Provider trees and proven periods
/// @notice See IProofLedger. Immutable, without an administrator. Proving never touches money.
///
/// Invariants:
///   a period is marked proven only by answers to its seed's challenges over the tree at its start;
///   the tree of period p is never changed by what happens in p or later;
///   accrued(provider, a, b) = number of proven p with a <= p < min(b, finalThrough).
contract ProofLedger is IProofLedger {
    using ProvenPeriods for ProvenPeriods.Log;
    using ProviderTree for ProviderTree.Stored;

    /// @notice Trees kept for looking back. A provider pushes at most one per period, so the last 8 periods are
    /// always there.
    uint256 private constant RING = 8;

    /// @inheritdoc IProofLedger
    address public immutable market;
    /// @inheritdoc IProofLedger
    address public immutable registry;
    /// @inheritdoc IProofLedger
    address public immutable beacon;
    /// @inheritdoc IProofLedger
    uint256 public immutable directChallenges;
    uint64 private immutable GENESIS;
    uint64 private immutable PERIOD;
    uint64 private immutable WINDOW;

    mapping(address provider => ProviderTree.Stored tree) private _trees;
    mapping(address provider => mapping(uint256 position => ProviderTree.Stored past)) private _ring;
    mapping(address provider => ProvenPeriods.Log log) private _proven;

    modifier onlyMarket() {
        require(msg.sender == market, ProofsCallerNotMarket(msg.sender));
        _;
    }

    /// @param market_ is deployed later: its address is computed from the deployer's nonce.
    /// @param directChallenges_ 1 to 40.
    constructor(address registry_, address market_, IBeacon beacon_, uint256 directChallenges_) {
        require(directChallenges_ > 0 && directChallenges_ <= 40, ProofsChallengesInvalid(directChallenges_));
        registry = registry_;
        market = market_;
        beacon = address(beacon_);
        directChallenges = directChallenges_;
        ScheduleParams memory params = beacon_.schedule();
        (GENESIS, PERIOD, WINDOW) = (params.genesis, params.period, params.window);
    }

    /// @inheritdoc IProofLedger
    function provePeriod(address provider, uint64 period, bytes[] calldata answers) external {
        (address operator,) = IProviderRegistry(registry).operatorOf(provider);
        require(msg.sender == operator, ProofsCallerNotOperator(operator, msg.sender));
        uint256 start = Schedule.periodStart(GENESIS, PERIOD, period);
        require(block.timestamp >= start, ProofsPeriodNotStarted(period, start));
        require(block.timestamp < start + WINDOW, ProofsWindowClosed(period, start + WINDOW));
        bytes32 seed = IBeacon(beacon).seedOf(period);
        require(seed != 0, ProofsSeedMissing(period));
        require(!_proven[provider].has(period), ProofsAlreadyProven(period));
        require(answers.length == directChallenges, ProofsAnswerCount(directChallenges, answers.length));

        _verifyAnswers(provider, period, seed, answers);

        _proven[provider].mark(period);
        emit PeriodProven(provider, period);
    }

    /// @inheritdoc IProofLedger
    function fillSlot(
        address provider,
        uint32 slot,
        bytes calldata path,
        bytes32 deal,
        uint8 scheme,
        bytes32 root,
        uint64 leaves
    ) external onlyMarket {
        ProviderTree.Tree memory tree = _snapshot(provider);
        ProviderTree.fill(tree, slot, path, ProviderTree.slotHash(deal, scheme, root, leaves), leaves);
        _trees[provider].save(tree);
        emit SlotChanged(provider, slot, deal, tree.root, tree.weight, tree.depth);
    }

    /// @inheritdoc IProofLedger
    function freeSlot(
        address provider,
        uint32 slot,
        bytes calldata path,
        bytes32 deal,
        uint8 scheme,
        bytes32 root,
        uint64 leaves
    ) external onlyMarket {
        ProviderTree.Tree memory tree = _snapshot(provider);
        ProviderTree.free(tree, slot, path, ProviderTree.slotHash(deal, scheme, root, leaves), leaves);
        _trees[provider].save(tree);
        emit SlotChanged(provider, slot, 0, tree.root, tree.weight, tree.depth);
    }

    /// @inheritdoc IProofLedger
    function accrued(address provider, uint64 from, uint64 to)
        external
        view
        returns (uint64 through, uint64 proven)
    {
        ProvenPeriods.Log storage log = _proven[provider];
        through = _finalThrough(log);
        if (to < through) through = to;
        if (through > from) proven = log.countBetween(from, through);
    }

    /// @inheritdoc IProofLedger
    function finalThrough(address provider) external view returns (uint64) {
        return _finalThrough(_proven[provider]);
    }

    /// @inheritdoc IProofLedger
    function provenBetween(address provider, uint64 from, uint64 to) public view returns (uint64) {
        return to > from ? _proven[provider].countBetween(from, to) : 0;
    }

    /// @inheritdoc IProofLedger
    function isProven(address provider, uint64 period) external view returns (bool) {
        return _proven[provider].has(period);
    }

    /// @inheritdoc IProofLedger
    function isMissed(address provider, uint64 period) external view returns (bool) {
        ProvenPeriods.Log storage log = _proven[provider];
        if (period >= _finalThrough(log) || log.has(period)) return false;
        return IBeacon(beacon).seedOf(period) != 0 && snapshotAt(provider, period).weight != 0;
    }

    /// @inheritdoc IProofLedger
    function snapshotAt(address provider, uint64 period) public view returns (Snapshot memory) {
        uint64 current = _currentPeriod();
        require(
            period <= current, ProofsPeriodNotStarted(period, Schedule.periodStart(GENESIS, PERIOD, period))
        );
        ProviderTree.Tree memory tree = _trees[provider].load();
        if (period >= tree.inForceFrom) return Snapshot(tree.root, tree.weight, tree.depth);
        uint256 count = tree.snapshots < RING ? tree.snapshots : RING;
        for (uint256 i = 1; i <= count; i++) {
            ProviderTree.Tree memory past = _ring[provider][(tree.snapshots - i) % RING].load();
            if (period >= past.inForceFrom) return Snapshot(past.root, past.weight, past.depth);
        }
        revert ProofsSnapshotGone(provider, period);
    }

    /// @inheritdoc IProofLedger
    function treeOf(address provider) external view returns (Snapshot memory tree, uint64 slotCount) {
        ProviderTree.Tree memory now_ = _trees[provider].load();
        return (Snapshot(now_.root, now_.weight, now_.depth), now_.slotCount);
    }

    /// @notice A period is final once it is proven, and otherwise from its deadline on.
    function _finalThrough(ProvenPeriods.Log storage log) private view returns (uint64) {
        uint64 current = _currentPeriod();
        uint256 deadline = Schedule.periodDeadline(GENESIS, PERIOD, WINDOW, current);
        return block.timestamp >= deadline || log.has(current) ? current + 1 : current;
    }

    function _verifyAnswers(address provider, uint64 period, bytes32 seed, bytes[] calldata answers)
        private
        view
    {
        Snapshot memory tree = snapshotAt(provider, period);
        require(tree.weight != 0, ProofsTreeEmpty(provider, period));
        bytes32 base = Challenge.challengeBase(block.chainid, address(this), provider, period, seed);
        for (uint32 i = 0; i < answers.length; i++) {
            uint256 position = Challenge.globalChallenge(base, i, tree.weight);
            AnswerCheck.verify(answers[i], tree.root, tree.depth, position);
        }
    }

    /// @notice The provider's tree, about to change: when it is the one in force, it goes into the ring first.
    function _snapshot(address provider) private returns (ProviderTree.Tree memory tree) {
        tree = _trees[provider].load();
        uint32 next = uint32(_currentPeriod()) + 1;
        if (tree.inForceFrom == next) return tree;
        _ring[provider][tree.snapshots % RING].save(tree);
        tree.snapshots++;
        tree.inForceFrom = next;
    }

    function _currentPeriod() private view returns (uint64) {
        return Schedule.periodAt(GENESIS, PERIOD, block.timestamp);
    }
}
