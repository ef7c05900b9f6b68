// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "./interfaces/IBeacon.sol";
import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {AnswerCheck} from "./libraries/AnswerCheck.sol";
import {Bundle} from "./libraries/Bundle.sol";
import {Challenge} from "./libraries/Challenge.sol";
import {HeldPeriods} from "./libraries/HeldPeriods.sol";
import {MissedPeriods} from "./libraries/MissedPeriods.sol";
import {ProvenPeriods} from "./libraries/ProvenPeriods.sol";
import {ProviderTree} from "./libraries/ProviderTree.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {RuleParams} from "./types/RuleParams.sol";
import {ScheduleParams} from "./types/ScheduleParams.sol";

/// @title Provider trees, proven and missed periods
/// @notice See IProofLedger. Immutable, without an administrator. Proving never touches money, and in commit mode
/// calls no other contract.
///
/// Invariants:
///   a period is marked only in its window, by answers to its seed's challenges over the tree at its start or by
///   a commitment to a bundle, and once;
///   the tree of period p is never changed by what happens in p or later;
///   what is said about periods before finalThrough never changes: accrued and faultUnits up to there are fixed;
///   accrued(provider, a, b) = number of marked p with a <= p < min(b, finalThrough, terminatedAt).
contract ProofLedger is IProofLedger {
    using HeldPeriods for uint256;
    using MissedPeriods for MissedPeriods.Misses;
    using ProvenPeriods for ProvenPeriods.Log;
    using ProvenPeriods for uint256;
    using ProviderTree for ProviderTree.Stored;

    /// @notice Trees and bundle roots kept for looking back. A provider pushes at most one tree per period, so those
    /// of the last 8 periods are always there.
    uint256 private constant RING = 8;
    /// @notice Stands in the ring for a period proven in direct mode.
    bytes32 private constant DIRECT = bytes32(uint256(1));
    bytes32 private constant AUDIT_DOMAIN = keccak256("holdfast/audit/v1");
    uint256 private constant MISSES_TO_END = 14;
    uint256 private constant DIRECT_MAX = 40;
    /// @notice When no period had a seed for so long, an owed audit ends without a slash: nothing is held up for good.
    uint64 private constant EXPIRY_PERIODS = 30;

    /// @inheritdoc IProofLedger
    address public immutable market;
    /// @inheritdoc IProofLedger
    address public immutable registry;
    /// @inheritdoc IProofLedger
    address public immutable disputes;
    /// @inheritdoc IProofLedger
    address public immutable beacon;
    /// @inheritdoc IProofLedger
    uint256 public immutable directChallenges;
    /// @inheritdoc IProofLedger
    uint256 public immutable auditChance;
    /// @inheritdoc IProofLedger
    uint64 public immutable disputeTime;
    /// @inheritdoc IProofLedger
    uint64 public immutable answerTime;
    uint256 private immutable GENESIS;
    uint256 private immutable PERIOD;
    uint256 private immutable WINDOW;
    /// @notice Period p is final from its start plus this.
    uint256 private immutable FINAL_AFTER;

    mapping(address provider => ProviderTree.Stored tree) private _trees;
    mapping(address provider => ProviderTree.Stored[8] past) private _ring;
    mapping(address provider => ProvenPeriods.Log log) private _proven;
    mapping(address provider => bytes32[8] roots) private _bundles;
    mapping(address provider => uint256 held) private _held;
    mapping(address provider => MissedPeriods.Misses misses) private _missed;
    /// @inheritdoc IProofLedger
    mapping(address operator => address provider) public providerOf;
    /// @inheritdoc IProofLedger
    mapping(uint64 period => bytes32 seed) public seedOf;

    modifier onlyMarket() {
        require(msg.sender == market, ProofsCallerNotMarket(msg.sender));
        _;
    }

    modifier onlyDisputes() {
        require(msg.sender == disputes, ProofsCallerNotDisputes(msg.sender));
        _;
    }

    /// @param market_ and
    /// @param disputes_ are deployed later: their addresses are computed from the deployer's nonce.
    constructor(
        address registry_,
        address market_,
        address disputes_,
        IBeacon beacon_,
        RuleParams memory rules
    ) {
        (registry, market, disputes, beacon) = (registry_, market_, disputes_, address(beacon_));
        ScheduleParams memory clock = beacon_.schedule();
        uint256 finalAfter = uint256(clock.window) + rules.disputeTime;
        require(
            rules.answerTime != 0 && rules.answerTime <= rules.disputeTime && finalAfter >= 2 * clock.period
                && finalAfter + rules.answerTime <= 6 * clock.period && rules.auditChance != 0
                && rules.directChallenges != 0 && rules.directChallenges <= DIRECT_MAX,
            ProofsRulesInvalid()
        );
        (GENESIS, PERIOD, WINDOW, FINAL_AFTER) = (clock.genesis, clock.period, clock.window, finalAfter);
        (disputeTime, answerTime) = (rules.disputeTime, rules.answerTime);
        (auditChance, directChallenges) = (rules.auditChance, rules.directChallenges);
    }

    // Proving

    /// @inheritdoc IProofLedger
    function commitPeriod(uint64 period, bytes32 bundleRoot) external {
        address provider = providerOf[msg.sender];
        if (provider == address(0)) revert ProofsCallerNotOperator(provider, msg.sender);
        if (bundleRoot <= DIRECT) revert ProofsBundleInvalid(bundleRoot);
        ProvenPeriods.Log storage log = _proven[provider];
        uint256 word = log.newest;
        uint64 last = word.last();
        _admit(provider, word, last, period);
        unchecked {
            bool follows = last + 1 == period && word.isLastMarked();
            bool forced = !follows || word & ProvenPeriods.FORCE_NEXT != 0;
            log.mark(word, period, forced ? ProvenPeriods.FORCED : 0);
        }
        _bundles[provider][period % RING] = bundleRoot;
        emit PeriodCommitted(provider, period, bundleRoot);
    }

    /// @inheritdoc IProofLedger
    function provePeriod(address provider, uint64 period, bytes[] calldata answers) external {
        require(providerOf[msg.sender] == provider, ProofsCallerNotOperator(provider, msg.sender));
        uint256 word = _proven[provider].newest;
        bytes32 seed = _admit(provider, word, word.last(), period);
        _checkCount(answers.length);
        Snapshot memory tree = snapshotAt(provider, period);
        require(tree.weight != 0, ProofsTreeEmpty(provider, period));
        bytes32 base = Challenge.challengeBase(block.chainid, address(this), provider, period, seed);
        for (uint32 i = 0; i < answers.length; i++) {
            uint256 position = Challenge.globalChallenge(base, i, tree.weight);
            AnswerCheck.verify(answers[i], tree.root, tree.depth, position);
        }
        _proven[provider].mark(word, period, ProvenPeriods.AUDITED);
        _bundles[provider][period % RING] = DIRECT;
        emit PeriodProven(provider, period);
    }

    /// @inheritdoc IProofLedger
    function answerAudit(address provider, bytes[] calldata openings) external {
        uint256 word = _proven[provider].newest;
        require(_isAuditOwed(provider, word), ProofsAuditNotOwed(provider));
        _checkCount(openings.length);
        uint64 period = word.last();
        Bundle.Committed memory committed = committedOf(provider, period);
        for (uint32 i = 0; i < openings.length; i++) {
            Bundle.verify(committed, Bundle.Question(Bundle.Class.GLOBAL, 0, i), openings[i]);
        }
        _proven[provider].newest = word | ProvenPeriods.AUDITED;
        emit AuditAnswered(provider, period);
    }

    // Missing

    /// @inheritdoc IProofLedger
    function reportMissed(address provider, uint64 period) external {
        uint64 open = finalThrough(provider);
        require(period >= open, ProofsPeriodFinal(provider, period));
        uint64 until = uint64((open / MissedPeriods.BLOCK + 2) * MissedPeriods.BLOCK);
        require(period < until, ProofsMissTooFar(provider, period, until));
        uint256 deadline = Schedule.periodDeadline(GENESIS, PERIOD, WINDOW, period);
        require(block.timestamp >= deadline, ProofsWindowOpen(period, deadline));
        require(!_missed[provider].has(period), ProofsMissRecorded(provider, period));
        require(isMissed(provider, period), ProofsNotMissed(provider, period));
        _missed[provider].write(period);
        emit PeriodMissed(provider, period);
    }

    /// @inheritdoc IProofLedger
    function terminateProvider(address provider, uint64[] calldata periods) external {
        ProvenPeriods.Log storage log = _proven[provider];
        uint256 word = log.newest;
        require(word.terminatedAt() == 0, ProofsTerminated(provider, word.terminatedAt()));
        require(periods.length == MISSES_TO_END, ProofsTerminationInvalid(provider));
        for (uint256 i = 0; i < MISSES_TO_END; i++) {
            require(i == 0 || periods[i] > periods[i - 1], ProofsTerminationInvalid(provider));
            require(
                _missed[provider].has(periods[i]) || isMissed(provider, periods[i]),
                ProofsNotMissed(provider, periods[i])
            );
        }
        uint64 ended = periods[MISSES_TO_END - 1] + 1;
        uint64 until = finalThrough(provider);
        if (until < ended) until = ended;
        require(
            log.countBetween(word, periods[0], ended) == 0 && log.countBetween(word, ended, until) == 0,
            ProofsTerminationInvalid(provider)
        );
        log.newest = word.withTerminatedAt(uint32(ended));
        emit ProviderTerminated(provider, ended);
        IProviderRegistry(registry).retire(provider);
    }

    // What the other contracts say

    /// @inheritdoc IProofLedger
    function acceptSeed(uint64 period, bytes32 seed) external {
        require(msg.sender == beacon, ProofsCallerNotBeacon(msg.sender));
        seedOf[period] = seed;
    }

    /// @inheritdoc IProofLedger
    function setOperator(address provider, address former, address operator) external {
        require(msg.sender == registry, ProofsCallerNotRegistry(msg.sender));
        if (former != address(0)) delete providerOf[former];
        if (operator != address(0)) providerOf[operator] = provider;
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
    function forceAudit(address provider) external onlyMarket {
        _proven[provider].newest |= ProvenPeriods.FORCE_NEXT;
    }

    /// @inheritdoc IProofLedger
    function hold(address provider, uint64 period)
        external
        onlyDisputes
        returns (Bundle.Committed memory committed, uint256 open)
    {
        require(isProven(provider, period), ProofsNotCommitted(provider, period));
        committed = committedOf(provider, period);
        require(committed.weight != 0, ProofsTreeEmpty(provider, period));
        uint256 until = Schedule.periodStart(GENESIS, PERIOD, period) + FINAL_AFTER - answerTime;
        require(block.timestamp <= until, ProofsDisputeTooLate(period, until));
        uint256 held = _held[provider];
        open = held.open();
        require(open < HeldPeriods.OPEN_MAX, ProofsDisputesFull(provider, HeldPeriods.OPEN_MAX));
        _held[provider] = held.add(period);
        if (open == 0) _proven[provider].newest |= ProvenPeriods.HELD;
    }

    /// @inheritdoc IProofLedger
    function release(address provider, uint64 period)
        external
        onlyDisputes
        returns (Bundle.Committed memory committed)
    {
        committed = _committed(provider, period);
        _release(provider, period);
    }

    /// @inheritdoc IProofLedger
    function revoke(address provider, uint64 period) external onlyDisputes returns (bool first) {
        _release(provider, period);
        first = _revoke(provider, period);
    }

    /// @inheritdoc IProofLedger
    function failAudit(address provider, uint64 usable)
        external
        onlyDisputes
        returns (uint64 period, bool expired)
    {
        uint256 word = _proven[provider].newest;
        require(_isAuditOwed(provider, word), ProofsAuditNotOwed(provider));
        period = word.last();
        expired = usable == period;
        uint64 over = expired ? period + EXPIRY_PERIODS : usable + 1;
        bool late = block.timestamp >= Schedule.periodStart(GENESIS, PERIOD, over);
        require(late && usable >= period && seedOf[usable] != 0, ProofsAuditNotLate(provider, period, usable));
        if (expired) _checkExpired(provider, period);
        _revoke(provider, period);
    }

    // Reading

    /// @inheritdoc IProofLedger
    function accrued(address provider, uint64 from, uint64 to)
        external
        view
        returns (uint64 through, uint64 proven)
    {
        ProvenPeriods.Log storage log = _proven[provider];
        uint256 word = log.newest;
        through = _finalThrough(provider, word);
        if (to < through) through = to;
        uint64 until = through;
        uint64 ended = word.terminatedAt();
        if (ended != 0 && ended < until) until = ended;
        if (until > from) proven = log.countBetween(word, from, until);
    }

    /// @inheritdoc IProofLedger
    function finalThrough(address provider) public view returns (uint64) {
        return _finalThrough(provider, _proven[provider].newest);
    }

    /// @inheritdoc IProofLedger
    function faultUnits(address provider, uint64 from, uint64 to) external view returns (uint64) {
        return _missed[provider].unitsBetween(from, to);
    }

    /// @inheritdoc IProofLedger
    function provenBetween(address provider, uint64 from, uint64 to) external view returns (uint64) {
        ProvenPeriods.Log storage log = _proven[provider];
        return to > from ? log.countBetween(log.newest, from, to) : 0;
    }

    /// @inheritdoc IProofLedger
    function isProven(address provider, uint64 period) public view returns (bool) {
        return _proven[provider].has(period);
    }

    /// @inheritdoc IProofLedger
    function isMissed(address provider, uint64 period) public view returns (bool) {
        bool over = block.timestamp >= Schedule.periodDeadline(GENESIS, PERIOD, WINDOW, period);
        if (!over || seedOf[period] == 0 || isProven(provider, period)) return false;
        return snapshotAt(provider, period).weight != 0;
    }

    /// @inheritdoc IProofLedger
    function isMissRecorded(address provider, uint64 period) external view returns (bool) {
        return _missed[provider].has(period);
    }

    /// @inheritdoc IProofLedger
    function standingOf(address provider) external view returns (Standing memory) {
        uint256 word = _proven[provider].newest;
        uint256 held = _held[provider];
        return Standing({
            any: word & ProvenPeriods.ANY != 0,
            last: word.last(),
            auditOwed: _isAuditOwed(provider, word),
            auditNext: word & ProvenPeriods.FORCE_NEXT != 0,
            openDisputes: uint8(held.open()),
            oldestDisputed: held.first(),
            terminatedAt: word.terminatedAt(),
            finalThrough: _finalThrough(provider, word)
        });
    }

    /// @inheritdoc IProofLedger
    function isIdle(address provider) external view returns (bool) {
        uint256 word = _proven[provider].newest;
        ProviderTree.Tree memory tree = _trees[provider].load();
        return tree.weight == 0 && _held[provider] == 0 && !_isAuditOwed(provider, word)
            && _finalThrough(provider, word) >= tree.inForceFrom;
    }

    /// @inheritdoc IProofLedger
    function terminatedAt(address provider) external view returns (uint64) {
        return _proven[provider].newest.terminatedAt();
    }

    /// @inheritdoc IProofLedger
    function committedOf(address provider, uint64 period) public view returns (Bundle.Committed memory) {
        bool marked = isProven(provider, period) && period + RING > _proven[provider].newest.last();
        bool kept = marked || _held[provider].has(period);
        require(kept && _bundles[provider][period % RING] > DIRECT, ProofsNotCommitted(provider, period));
        return _committed(provider, period);
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

    /// @notice What a period is judged by that was committed and is still in the rings.
    function _committed(address provider, uint64 period) private view returns (Bundle.Committed memory) {
        Snapshot memory tree = snapshotAt(provider, period);
        bytes32 base = Challenge.challengeBase(block.chainid, address(this), provider, period, seedOf[period]);
        return Bundle.Committed(_bundles[provider][period % RING], base, tree.root, tree.weight, tree.depth);
    }

    function _release(address provider, uint64 period) private {
        uint256 held = _held[provider].remove(period);
        _held[provider] = held;
        if (held == 0) _proven[provider].newest &= ~ProvenPeriods.HELD;
    }

    /// @notice Reverts unless the provider may prove `period` now. Every commitment pays for this: errors get their
    /// arguments only when they are thrown.
    /// @param word The newest of the provider's log.
    function _admit(address provider, uint256 word, uint64 last, uint64 period)
        private
        view
        returns (bytes32 seed)
    {
        unchecked {
            // Both factors are below 2^64.
            uint256 start = GENESIS + uint256(period) * PERIOD;
            if (block.timestamp < start) revert ProofsPeriodNotStarted(period, start);
            if (block.timestamp >= start + WINDOW) revert ProofsWindowClosed(period, start + WINDOW);
            seed = seedOf[period];
            if (seed == 0) revert ProofsSeedMissing(period);
            if (word.terminatedAt() != 0) revert ProofsTerminated(provider, word.terminatedAt());
            if (word & ProvenPeriods.ANY == 0) return seed;
            if (period <= last) revert ProofsAlreadyProven(period);
            if (word & ProvenPeriods.AUDITED == 0) {
                // Most of the time the seed that decides is the one that was just read.
                bytes32 next = period == last + 1 ? seed : seedOf[last + 1];
                bool owed = word & ProvenPeriods.FORCED != 0 || _isDrawn(provider, last, next);
                if (owed) revert ProofsAuditOwed(provider, last);
            }
            if (word & ProvenPeriods.HELD != 0) _checkHeld(provider, period);
        }
    }

    /// @notice While a dispute is open, nothing may push out of the rings what it is judged by.
    function _checkHeld(address provider, uint64 period) private view {
        uint256 held = _held[provider];
        bool stays = held == 0 || period < held.first() + RING;
        require(stays, ProofsDisputeOpen(provider, held.first()));
    }

    function _checkCount(uint256 actual) private view {
        require(actual == directChallenges, ProofsAnswerCount(directChallenges, actual));
    }

    /// @param word The newest of the provider's log.
    function _isAuditOwed(address provider, uint256 word) private view returns (bool) {
        if (word & ProvenPeriods.FORCED != 0) return word & ProvenPeriods.AUDITED == 0;
        if (word & ProvenPeriods.ANY == 0 || word & ProvenPeriods.AUDITED != 0) return false;
        return _isDrawn(provider, word.last(), seedOf[word.last() + 1]);
    }

    /// @notice Whether chance audits a committed period: `next` is the seed of the one after it, zero for none.
    /// Assembly, because every commitment pays for it: keccak256(domain 32 | seed 32 | provider 20 | period 8).
    function _isDrawn(address provider, uint64 period, bytes32 next) private view returns (bool) {
        if (next == 0) return false;
        bytes32 domain = AUDIT_DOMAIN;
        uint256 drawn;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, domain)
            mstore(add(scratch, 32), next)
            mstore(add(scratch, 64), shl(96, provider))
            mstore(add(scratch, 84), shl(192, period))
            drawn := keccak256(scratch, 92)
        }
        return drawn % auditChance == 0;
    }

    /// @notice By time; not beyond the first disputed period, nor beyond one whose audit is owed.
    /// @param word The newest of the provider's log.
    function _finalThrough(address provider, uint256 word) private view returns (uint64 through) {
        uint256 first = GENESIS + FINAL_AFTER;
        if (block.timestamp < first) return 0;
        through = uint64((block.timestamp - first) / PERIOD) + 1;
        if (word & ProvenPeriods.HELD != 0) {
            uint64 held = _held[provider].first();
            if (held < through) through = held;
        }
        if (word.last() < through && _isAuditOwed(provider, word)) through = word.last();
    }

    /// @notice Reverts when one of the periods that an owed audit waited for could be used: then it is slashed.
    function _checkExpired(address provider, uint64 period) private view {
        for (uint64 usable = period + 1; usable < period + EXPIRY_PERIODS; usable++) {
            require(seedOf[usable] == 0, ProofsAuditNotExpired(provider, period, usable));
        }
    }

    /// @notice Takes a mark back: the period was missed, and the next commit owes an audit.
    /// @return first The period was marked until now: nobody was slashed for it yet.
    function _revoke(address provider, uint64 period) private returns (bool first) {
        ProvenPeriods.Log storage log = _proven[provider];
        first = log.has(period);
        if (first) {
            log.unmark(period);
            emit PeriodRevoked(provider, period);
            _missed[provider].write(period);
            emit PeriodMissed(provider, period);
        }
        uint256 word = log.newest | ProvenPeriods.FORCE_NEXT;
        if (word.last() == period) word |= ProvenPeriods.AUDITED;
        log.newest = word;
    }

    /// @notice The provider's tree, about to change: when it is the one in force, it goes into the ring first.
    function _snapshot(address provider) private returns (ProviderTree.Tree memory tree) {
        tree = _trees[provider].load();
        uint32 next = uint32(_currentPeriod()) + 1;
        if (tree.inForceFrom == next) return tree;
        _checkHeld(provider, next - 1);
        _ring[provider][tree.snapshots % RING].save(tree);
        tree.snapshots++;
        tree.inForceFrom = next;
    }

    function _currentPeriod() private view returns (uint64) {
        return Schedule.periodAt(GENESIS, PERIOD, block.timestamp);
    }
}
