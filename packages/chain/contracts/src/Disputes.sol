// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "./interfaces/IBeacon.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {AnswerCheck} from "./libraries/AnswerCheck.sol";
import {Bundle} from "./libraries/Bundle.sol";
import {ProviderTree} from "./libraries/ProviderTree.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {Place} from "./types/Place.sol";
import {ScheduleParams} from "./types/ScheduleParams.sol";

/// @title Disputes
/// @notice See IDisputes. Immutable, without an administrator. A dispute is one storage word under the hash of its
/// question; the question is shown again by whoever needs it.
///
/// Invariants: the bonds of open disputes are what the vault holds as bonds; a question of a period is asked once;
/// a period is slashed once; a slash is at most the stake, and half of it at most goes to whoever asked.
contract Disputes is IDisputes {
    uint256 private constant EXPIRY_PERIODS = 30;

    /// @inheritdoc IDisputes
    address public immutable vault;
    /// @inheritdoc IDisputes
    address public immutable registry;
    /// @inheritdoc IDisputes
    address public immutable proofs;
    /// @inheritdoc IDisputes
    uint256 public immutable disputeBond;
    /// @inheritdoc IDisputes
    uint256 public immutable disputeSlash;
    /// @inheritdoc IDisputes
    uint256 public immutable usablePeriods;
    uint256 private immutable GENESIS;
    uint256 private immutable PERIOD;
    uint256 private immutable ANSWER_TIME;

    /// @dev opener 160 | openedAt 64 | bonds put up 16 | status 8, lowest first.
    mapping(bytes32 id => uint256 word) private _disputes;
    mapping(bytes32 deal => bool lost) private _lost;

    constructor(address vault_, address registry_, IProofLedger proofs_, uint256 bond_, uint256 slash_) {
        (vault, registry, proofs) = (vault_, registry_, address(proofs_));
        require(
            proofs_.disputes() == address(this) && proofs_.registry() == registry_, DisputesWiringInvalid()
        );
        (disputeBond, disputeSlash) = (bond_, slash_);
        ScheduleParams memory clock = IBeacon(proofs_.beacon()).schedule();
        (GENESIS, PERIOD, ANSWER_TIME) = (clock.genesis, clock.period, proofs_.answerTime());
        usablePeriods = (proofs_.answerTime() + clock.period - 1) / clock.period;
    }

    /// @inheritdoc IDisputes
    function openDispute(
        address provider,
        uint64 period,
        Bundle.Question calldata question,
        bytes calldata membership
    ) external returns (bytes32 id) {
        id = idOf(provider, period, question);
        require(_disputes[id] == 0, DisputesExists(id));
        (Bundle.Committed memory committed, uint256 open) = IProofLedger(proofs).hold(provider, period);
        _checkQuestion(question, membership, committed);
        uint256 bonds = open + 1;
        _disputes[id] =
            uint160(msg.sender) | block.timestamp << 160 | bonds << 224 | uint256(Status.Open) << 240;
        emit DisputeOpened(
            id, provider, period, question.class, question.deal, question.i, msg.sender, bonds * disputeBond
        );
        IVault(vault).bond(msg.sender, bonds * disputeBond);
    }

    /// @inheritdoc IDisputes
    function answerDispute(Place place, bytes calldata opening) external {
        (address provider, uint64 period) = (place.provider(), place.period());
        Bundle.Question memory question = Bundle.Question(Bundle.Class(place.class()), 0, place.i());
        if (question.class == Bundle.Class.DEAL) question.deal = Bundle.dealOf(opening);
        bytes32 id = idOf(provider, period, question);
        uint256 word = _end(id, Status.Answered);
        emit DisputeAnswered(id, provider, period);
        Bundle.verify(IProofLedger(proofs).release(provider, period), question, opening);
        IVault(vault).unbond(provider, disputeBond, _bondOf(word) - disputeBond);
    }

    /// @inheritdoc IDisputes
    function slashTimeout(
        address provider,
        uint64 period,
        Bundle.Question calldata question,
        uint64[] calldata usable
    ) external {
        bytes32 id = idOf(provider, period, question);
        bool expired = usable.length == 0;
        uint256 word = _end(id, expired ? Status.Expired : Status.Lost);
        _checkTime(id, uint64(word >> 160), usable);
        address opener = address(uint160(word));
        bool first = IProofLedger(proofs).revoke(provider, period);
        if (expired) {
            emit DisputeExpired(id, provider, period);
        } else {
            // A commitment is one promise: whoever asked first for it is paid, whatever else is asked.
            uint256 slashed = first ? IProviderRegistry(registry).slash(provider, disputeSlash, opener) : 0;
            emit DisputeLost(id, provider, period, opener, slashed);
            if (question.class == Bundle.Class.DEAL) {
                _lost[question.deal] = true;
                emit DealShownLost(question.deal, provider, period);
            }
        }
        IVault(vault).unbond(opener, _bondOf(word), 0);
    }

    /// @inheritdoc IDisputes
    function slashAudit(address provider, uint64 usable) external {
        (uint64 period, bool expired) = IProofLedger(proofs).failAudit(provider, usable);
        uint256 slashed = expired ? 0 : IProviderRegistry(registry).slash(provider, disputeSlash, msg.sender);
        emit AuditLost(provider, period, msg.sender, slashed);
    }

    /// @inheritdoc IDisputes
    function clearLost(bytes32 deal) external {
        require(msg.sender == IProofLedger(proofs).market(), DisputesCallerNotMarket(msg.sender));
        delete _lost[deal];
    }

    /// @inheritdoc IDisputes
    function disputeOf(bytes32 id) external view returns (Dispute memory) {
        uint256 word = _disputes[id];
        return Dispute({
            status: _statusOf(word),
            opener: address(uint160(word)),
            openedAt: uint64(word >> 160),
            bond: _bondOf(word)
        });
    }

    /// @inheritdoc IDisputes
    function isShownLost(bytes32 deal) external view returns (bool) {
        return _lost[deal];
    }

    /// @inheritdoc IDisputes
    function idOf(address provider, uint64 period, Bundle.Question memory question)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(provider, period, question));
    }

    /// @notice Closes an open dispute for good; returns its word as it was.
    function _end(bytes32 id, Status status) private returns (uint256 word) {
        word = _disputes[id];
        require(_statusOf(word) == Status.Open, DisputesNotOpen(id));
        _disputes[id] = uint240(word) | uint256(status) << 240;
    }

    /// @notice Reverts unless the period has an entry for this question.
    function _checkQuestion(
        Bundle.Question calldata question,
        bytes calldata membership,
        Bundle.Committed memory committed
    ) private pure {
        bool isGlobal = question.class == Bundle.Class.GLOBAL;
        require(
            isGlobal
                ? question.i < Bundle.GLOBAL_ENTRIES && question.deal == 0 && membership.length == 0
                : question.i < Bundle.DEAL_ENTRIES,
            DisputesQuestionInvalid(question.class, question.deal, question.i)
        );
        if (isGlobal) return;
        uint256 size = AnswerCheck.HEAD_BYTES + committed.depth * ProviderTree.SIBLING_BYTES;
        require(membership.length == size, AnswerCheck.AnswerLength(size, membership.length));
        require(bytes32(membership[:32]) == question.deal, DisputesNotMember(question.deal));
        uint64 leaves = uint64(bytes8(membership[65:73]));
        require(leaves != 0, AnswerCheck.AnswerLeaves(leaves));
        AnswerCheck.locate(membership, committed.treeRoot, committed.depth, leaves);
    }

    /// @notice Reverts while the provider still has time. A period in which nobody could post a seed does not count.
    function _checkTime(bytes32 id, uint256 openedAt, uint64[] calldata usable) private view {
        uint256 least = usable.length == 0 ? EXPIRY_PERIODS * PERIOD : ANSWER_TIME;
        require(block.timestamp >= openedAt + least, DisputesTooEarly(id, openedAt + least));
        uint256 next = Schedule.periodAt(GENESIS, PERIOD, openedAt);
        if (usable.length == 0) return _checkExpired(id, next);
        require(usable.length == usablePeriods, DisputesNotUsable(usablePeriods, 0));
        for (uint256 i = 0; i < usable.length; i++) {
            uint64 period = usable[i];
            bool counts = period >= next
                && block.timestamp >= Schedule.periodStart(GENESIS, PERIOD, period + 1)
                && IProofLedger(proofs).seedOf(period) != 0;
            require(counts, DisputesNotUsable(usablePeriods, period));
            next = uint256(period) + 1;
        }
    }

    /// @notice Reverts when the chain was usable for long enough in the 30 periods from `from` on, which are over.
    function _checkExpired(bytes32 id, uint256 from) private view {
        uint256 found;
        for (uint256 period = from; period < from + EXPIRY_PERIODS; period++) {
            if (IProofLedger(proofs).seedOf(uint64(period)) != 0) found++;
            require(found < usablePeriods, DisputesNotExpired(id, uint64(period)));
        }
    }

    function _statusOf(uint256 word) private pure returns (Status) {
        return Status(uint8(word >> 240));
    }

    function _bondOf(uint256 word) private view returns (uint256) {
        return uint16(word >> 224) * disputeBond;
    }
}
