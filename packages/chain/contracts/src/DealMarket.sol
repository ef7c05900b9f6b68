// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IBeacon} from "./interfaces/IBeacon.sol";
import {IDealMarket} from "./interfaces/IDealMarket.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Bundle} from "./libraries/Bundle.sol";
import {Challenge} from "./libraries/Challenge.sol";
import {Closing} from "./libraries/Closing.sol";
import {Geometry} from "./libraries/Geometry.sol";
import {PayloadProof} from "./libraries/PayloadProof.sol";
import {Pricing} from "./libraries/Pricing.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {Terms} from "./libraries/Terms.sol";
import {DealTerms} from "./types/DealTerms.sol";
import {Extra} from "./types/Extra.sol";
import {CLOSED, EXTRA, FAULTED, Frame, GAP, IN_TREE, NOTICE, toFrame} from "./types/Frame.sol";
import {Progress, toProgress} from "./types/Progress.sol";
import {ScheduleParams} from "./types/ScheduleParams.sol";

/// @title Deals and their money
/// @notice See IDealMarket. Immutable, without an administrator. A deal takes two storage slots, a third once it is
/// topped up or faulty: what its terms say is shown again by whoever needs it and checked by hashing, since the
/// deal's id is their digest.
///
/// Deployment, from one account at consecutive nonces n, n+1, ...:
///   n    DrandBeacon(schedule, public key, address of n+3)
///   n+1  Vault(tokens, fee account, address of n+2, address of n+4, address of n+5)
///   n+2  ProviderRegistry(vault, address of n+3, address of n+4, minimum stake)
///   n+3  ProofLedger(registry, address of n+5, address of n+4, beacon, rules)
///   n+4  Disputes(vault, registry, proofs, bond, slash)
///   n+5  DealMarket(vault, registry, proofs, disputes, fee)
/// The market comes last and refuses construction unless all of them point at each other.
///
/// Invariants, for every deal:
///   paid = costOf(rate, P, proven) <= deposit;   fees = feeOf(paid);   start <= settledThrough
///   proven = number of marked periods p of the provider, start <= p < settledThrough, outside its faults
///   deposit = paid + refund;   collateral = returned + compensation + forfeited;   compensation <= replacementCost
///   sum over open deals of (deposit - paid + collateral) + sum of earnedOf + feesOf - withdrawn fees
///     = vault.heldOf, but for what the vault holds as forfeited stake and bonds
contract DealMarket is IDealMarket, EIP712 {
    using Terms for DealTerms;

    /// @notice A settlement reads the first two words and writes the first.
    struct Record {
        Progress progress;
        Frame frame;
        Extra extra;
    }

    /// @notice The last question to the ledger in a batch: deals of one provider that were settled together get
    /// one answer. `through` is where the provider's final periods end; no provider means nothing is known.
    struct Accrual {
        address provider;
        uint64 from;
        uint64 through;
        uint64 proven;
    }

    /// @notice Payments of a batch to one provider in one token, not yet written.
    struct Payment {
        address provider;
        uint8 token;
        uint256 amount;
        uint256 fee;
    }

    /// @notice A fault of so many periods loses the deal.
    uint64 private constant FAULT_PERIODS_MAX = 14;

    IVault private immutable VAULT;
    IProviderRegistry private immutable REGISTRY;
    IProofLedger private immutable PROOFS;
    IDisputes private immutable DISPUTES;
    uint64 private immutable GENESIS;
    uint64 private immutable PERIOD;
    /// @inheritdoc IDealMarket
    uint256 public immutable feeBps;

    mapping(bytes32 deal => Record record) private _deals;
    mapping(uint8 token => mapping(address provider => uint256 amount)) private _earned;
    mapping(uint8 token => uint256 amount) private _fees;

    /// @param feeBps_ Part of every payment that is the fee, in 1/10,000, below 10,000.
    constructor(
        IVault vault,
        IProviderRegistry registry,
        IProofLedger proofs,
        IDisputes disputes,
        uint256 feeBps_
    ) EIP712("Holdfast", "1") {
        (address self, address asked) = (address(this), address(disputes));
        require(
            vault.market() == self && proofs.market() == self && vault.registry() == address(registry)
                && proofs.registry() == address(registry) && disputes.registry() == address(registry)
                && registry.vault() == address(vault) && disputes.vault() == address(vault)
                && registry.proofs() == address(proofs) && disputes.proofs() == address(proofs)
                && IBeacon(proofs.beacon()).proofs() == address(proofs) && vault.disputes() == asked
                && registry.disputes() == asked && proofs.disputes() == asked,
            MarketWiringInvalid()
        );
        require(feeBps_ < Pricing.BPS, MarketFeeInvalid(feeBps_));
        (VAULT, REGISTRY, PROOFS, DISPUTES, feeBps) = (vault, registry, proofs, disputes, feeBps_);
        ScheduleParams memory params = IBeacon(proofs.beacon()).schedule();
        (GENESIS, PERIOD) = (params.genesis, params.period);
    }

    /// @inheritdoc IDealMarket
    function openDeal(
        DealTerms calldata terms,
        bytes calldata clientSignature,
        bytes calldata operatorSignature,
        uint32 slot,
        bytes calldata path
    ) external returns (bytes32 deal) {
        deal = dealIdOf(terms);
        require(_deals[deal].progress.isNone(), MarketDealExists(deal));
        uint64 leaves = _checkTerms(terms);
        (address operator, bool accepting) = REGISTRY.operatorOf(terms.provider);
        require(accepting, MarketProviderNotAccepting(terms.provider));
        _checkSignatures(deal, terms.client, operator, clientSignature, operatorSignature);

        uint64 start = currentPeriod() + 1;
        uint64 end = start + _paidPeriods(terms, terms.deposit);
        require(end <= type(uint32).max, MarketTermsInvalid("periods"));
        _deals[deal].progress = toProgress(terms.provider, start, 0, end);
        emit DealOpened(deal, terms.client, terms.provider, terms.dataset, terms, slot, start, end);

        uint8 token = VAULT.lock(terms.token, terms.client, terms.deposit, terms.provider, terms.collateral);
        _deals[deal].frame = toFrame(terms.rate, start, end, slot, token);
        PROOFS.fillSlot(terms.provider, slot, path, deal, terms.scheme, terms.root, leaves);
    }

    /// @inheritdoc IDealMarket
    function declareFault(DealTerms calldata terms, bytes calldata path) external {
        (bytes32 deal, Record storage record) = _known(terms);
        if (!DISPUTES.isShownLost(deal)) _checkOperator(terms.provider);
        uint64 current = _checkRunning(deal, record);
        Frame frame = record.frame;
        require(!frame.has(FAULTED), MarketDealFaulted(deal));

        uint64 since = PROOFS.isProven(terms.provider, current) ? current + 1 : current;
        if (since < frame.start()) since = frame.start();
        // A fault before an earlier one is settled through widens that one: only one is kept.
        uint64 from = frame.has(GAP) ? record.extra.from() : since;
        record.extra = record.extra.withGap(from, record.extra.recovered(), since);
        record.progress = record.progress.withPayEnd(from);
        record.frame = frame.withFlag(FAULTED | GAP | EXTRA);
        emit DealFaulted(deal, terms.provider, since);

        _leaveTree(deal, record, terms, path);
        PROOFS.forceAudit(terms.provider);
    }

    /// @inheritdoc IDealMarket
    function recoverDeal(
        DealTerms calldata terms,
        uint32 slot,
        bytes calldata path,
        bytes[] calldata openings
    ) external {
        (bytes32 deal, Record storage record) = _known(terms);
        _checkOperator(terms.provider);
        uint64 current = _checkRunning(deal, record);
        Frame frame = record.frame;
        require(frame.has(FAULTED), MarketDealNotFaulted(deal));
        uint64 leaves = Geometry.leavesFor(terms.length);
        _checkRecovery(terms, deal, current, leaves, openings);

        _endFault(record, current + 1);
        record.frame = record.frame.withFlag(IN_TREE).withSlot(slot);
        emit DealRecovered(deal, terms.provider, slot, current + 1);
        DISPUTES.clearLost(deal);
        PROOFS.forceAudit(terms.provider);
        PROOFS.fillSlot(terms.provider, slot, path, deal, terms.scheme, terms.root, leaves);
    }

    /// @inheritdoc IDealMarket
    function topUp(DealTerms calldata terms, uint128 amount) external {
        (bytes32 deal, Record storage record) = _known(terms);
        _checkRunning(deal, record);
        Frame frame = record.frame;
        require(!frame.has(NOTICE), MarketNoticeGiven(deal));
        uint256 sum = uint256(record.extra.toppedUp()) + amount;
        uint256 term = Pricing.costOf(terms.rate, PERIOD, terms.periods);
        uint256 most = term > terms.deposit ? term - terms.deposit : 0;
        if (most > type(uint128).max) most = type(uint128).max;
        require(sum <= most, MarketTopUpTooLarge(most, sum));

        uint64 end = frame.start() + _paidPeriods(terms, terms.deposit + sum);
        require(end <= type(uint32).max, MarketTermsInvalid("periods"));
        record.extra = record.extra.withToppedUp(uint128(sum));
        record.frame = frame.withEnd(end).withFlag(EXTRA);
        if (!frame.has(GAP)) record.progress = record.progress.withPayEnd(end);
        emit DealToppedUp(deal, terms.provider, msg.sender, amount, end);
        VAULT.lock(terms.token, msg.sender, amount, terms.provider, 0);
    }

    /// @inheritdoc IDealMarket
    function terminateDeal(DealTerms calldata terms) external {
        (bytes32 deal, Record storage record) = _known(terms);
        require(msg.sender == terms.client, MarketCallerNotClient(terms.client, msg.sender));
        _giveNotice(deal, record, record.frame.has(FAULTED) ? 0 : terms.notice);
    }

    /// @inheritdoc IDealMarket
    function resignDeal(DealTerms calldata terms) external {
        (bytes32 deal, Record storage record) = _known(terms);
        _checkOperator(terms.provider);
        _giveNotice(deal, record, terms.notice);
    }

    /// @inheritdoc IDealMarket
    function closeByConsent(
        DealTerms calldata terms,
        bytes calldata clientSignature,
        bytes calldata operatorSignature
    ) external {
        (bytes32 deal, Record storage record) = _known(terms);
        (address operator,) = REGISTRY.operatorOf(terms.provider);
        _checkSignatures(consentOf(deal), terms.client, operator, clientSignature, operatorSignature);
        _giveNotice(deal, record, 0);
    }

    /// @inheritdoc IDealMarket
    function settle(bytes32 deal) external {
        Accrual memory accrual;
        _pay(_settle(deal, accrual));
    }

    /// @inheritdoc IDealMarket
    function settleMany(bytes32[] calldata deals) external {
        Accrual memory accrual;
        Payment memory pending;
        for (uint256 i = 0; i < deals.length; i++) {
            Payment memory payment = _settle(deals[i], accrual);
            if (payment.provider == pending.provider && payment.token == pending.token) {
                pending.amount += payment.amount;
                pending.fee += payment.fee;
            } else {
                _pay(pending);
                pending = payment;
            }
        }
        _pay(pending);
    }

    /// @inheritdoc IDealMarket
    function collect(uint8 token, address provider) external returns (uint256 amount) {
        require(msg.sender == address(VAULT), MarketCallerNotVault(msg.sender));
        amount = _earned[token][provider];
        delete _earned[token][provider];
    }

    /// @inheritdoc IDealMarket
    function closeDeal(DealTerms calldata terms) external {
        (bytes32 deal, Record storage record) = _known(terms);
        require(!record.frame.has(CLOSED), MarketDealClosed(deal));
        (uint64 end, bool lost) = _endOf(record, terms.provider);
        require(currentPeriod() >= end, MarketDealNotEnded(deal, end));
        uint64 final_ = PROOFS.finalThrough(terms.provider);
        require(final_ >= end, MarketDealNotFinal(deal, end, final_));

        Accrual memory accrual;
        _pay(_settle(deal, accrual));
        Frame frame = record.frame;
        Extra extra = record.extra;
        record.frame = frame.withFlag(CLOSED);
        Closing.Split memory split = Closing.split(
            uint256(terms.deposit) + extra.toppedUp(),
            Pricing.costOf(terms.rate, PERIOD, record.progress.proven()),
            terms.collateral,
            Pricing.costOf(terms.rate, PERIOD, _units(terms.provider, frame, extra, end)),
            terms.replacementCost,
            lost
        );
        _fees[frame.token()] += split.forfeited;
        emit DealClosed(
            deal, terms.provider, split.refund, split.returned, split.compensation, split.forfeited
        );
        VAULT.release(
            frame.token(), terms.client, split.refund + split.compensation, terms.provider, split.returned
        );
    }

    /// @inheritdoc IDealMarket
    function releaseSlot(DealTerms calldata terms, bytes calldata path) external {
        (bytes32 deal, Record storage record) = _known(terms);
        _checkOperator(terms.provider);
        (uint64 end,) = _endOf(record, terms.provider);
        require(currentPeriod() >= end, MarketDealNotEnded(deal, end));
        _leaveTree(deal, record, terms, path);
    }

    /// @inheritdoc IDealMarket
    function getDeal(bytes32 deal) external view returns (Deal memory view_) {
        Record storage record = _deals[deal];
        (Progress progress, Frame frame, Extra extra) = (record.progress, record.frame, record.extra);
        if (progress.isNone()) return view_;
        view_.provider = progress.provider();
        view_.start = frame.start();
        (view_.end, view_.lost) = _endOf(record, view_.provider);
        view_.state = _stateOf(frame, view_.end);
        view_.lost = view_.lost && currentPeriod() >= view_.end;
        view_.settledThrough = progress.settledThrough();
        view_.faulted = frame.has(FAULTED);
        view_.faultedFrom = extra.from();
        view_.faultedSince = extra.since();
        view_.recoveredAt = view_.faulted ? 0 : extra.recovered();
        view_.faultUnits = extra.units();
        view_.slot = frame.slot();
        view_.inTree = frame.has(IN_TREE);
        view_.token = VAULT.tokenAt(frame.token());
        view_.rate = frame.rate();
        view_.proven = progress.proven();
        view_.paid = Pricing.costOf(view_.rate, PERIOD, progress.proven());
        view_.toppedUp = extra.toppedUp();
    }

    /// @inheritdoc IDealMarket
    function escrowOf(DealTerms calldata terms) external view returns (uint256) {
        Record storage record = _deals[dealIdOf(terms)];
        if (record.progress.isNone() || record.frame.has(CLOSED)) return 0;
        uint256 paid = Pricing.costOf(terms.rate, PERIOD, record.progress.proven());
        return uint256(terms.deposit) + record.extra.toppedUp() - paid;
    }

    /// @inheritdoc IDealMarket
    function earnedOf(uint8 token, address provider) external view returns (uint256) {
        return _earned[token][provider];
    }

    /// @inheritdoc IDealMarket
    function feesOf(uint8 token) external view returns (uint256) {
        return _fees[token];
    }

    /// @inheritdoc IDealMarket
    function dealIdOf(DealTerms calldata terms) public view returns (bytes32) {
        return _hashTypedDataV4(terms.structHash());
    }

    /// @inheritdoc IDealMarket
    function consentOf(bytes32 deal) public view returns (bytes32) {
        return _hashTypedDataV4(Terms.consentHash(deal));
    }

    /// @inheritdoc IDealMarket
    function currentPeriod() public view returns (uint64) {
        return Schedule.periodAt(GENESIS, PERIOD, block.timestamp);
    }

    /// @inheritdoc IDealMarket
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @notice Brings the record of a deal up to date and says what is owed for it, without moving money.
    function _settle(bytes32 deal, Accrual memory accrual) private returns (Payment memory payment) {
        Record storage record = _deals[deal];
        Progress progress = record.progress;
        require(!progress.isNone(), MarketDealUnknown(deal));
        uint64 from = progress.settledThrough();
        uint64 payEnd = progress.payEnd();
        payment.provider = progress.provider();
        uint64 through = from;
        uint64 more;
        if (from < payEnd) (through, more) = _accrued(accrual, payment.provider, from, payEnd);
        if (through < payEnd && through <= from) return payment;

        Frame frame = record.frame;
        if (through >= payEnd && frame.has(GAP)) {
            (through, more) = _crossGap(record, through, more);
            progress = record.progress;
        }
        if (through <= from) return payment;
        payment.token = frame.token();
        // Neither sum overflows: fewer than 2^32 periods exist, and the fee is a part of the gross.
        unchecked {
            uint32 proven = progress.proven();
            uint256 before = Pricing.costOf(frame.rate(), PERIOD, proven);
            proven += uint32(more);
            uint256 gross = Pricing.costOf(frame.rate(), PERIOD, proven);
            // The fee follows the total, so that settling often or seldom costs the same to the unit.
            payment.fee = Pricing.feeOf(gross, feeBps) - Pricing.feeOf(before, feeBps);
            payment.amount = gross - before - payment.fee;
            record.progress = progress.withSettled(through, proven);
            emit DealSettled(deal, through, gross - before, payment.fee);
        }
    }

    /// @notice Everything before a fault is settled: when the fault is over and final, it becomes units, and what
    /// comes after it is settled too. Changes neither `settledThrough` nor `proven`: the caller does.
    function _crossGap(Record storage record, uint64 through, uint64 more) private returns (uint64, uint64) {
        Extra extra = record.extra;
        uint64 recovered = extra.recovered();
        address provider = record.progress.provider();
        Frame frame = record.frame;
        if (frame.has(FAULTED) || PROOFS.finalThrough(provider) < recovered) return (through, more);
        uint64 end = frame.end();
        record.extra = extra.withoutGap();
        record.frame = frame.withoutFlag(GAP);
        record.progress = record.progress.withPayEnd(end);
        (uint64 next, uint64 after_) = PROOFS.accrued(provider, recovered, end);
        return (next, more + after_);
    }

    /// @notice ProofLedger.accrued, asked once for neighbours of the same provider and period in a batch.
    function _accrued(Accrual memory last, address provider, uint64 from, uint64 to)
        private
        view
        returns (uint64 through, uint64 proven)
    {
        if (last.provider == provider && last.from == from && last.through <= to) {
            return (last.through, last.proven);
        }
        (through, proven) = PROOFS.accrued(provider, from, to);
        // Only an answer that ends where finality does holds for other ends too.
        last.provider = through < to ? provider : address(0);
        (last.from, last.through, last.proven) = (from, through, proven);
    }

    /// @notice The one way out for payments to providers.
    function _pay(Payment memory payment) private {
        if (payment.amount == 0 && payment.fee == 0) return;
        _earned[payment.token][payment.provider] += payment.amount;
        _fees[payment.token] += payment.fee;
    }

    /// @notice The deal is paid from `recovered` on. A fault that had not begun by then never was: it leaves what was
    /// there before it, an earlier gap or none.
    function _endFault(Record storage record, uint64 recovered) private {
        Frame frame = record.frame.withoutFlag(FAULTED);
        Extra extra = record.extra;
        uint64 from = extra.from();
        if (extra.since() >= recovered) {
            recovered = extra.recovered();
            if (recovered == 0) {
                frame = frame.withoutFlag(GAP);
                record.progress = record.progress.withPayEnd(frame.end());
                from = 0;
            }
        }
        record.extra = extra.withGap(from, recovered, 0);
        record.frame = frame;
    }

    function _leaveTree(bytes32 deal, Record storage record, DealTerms calldata terms, bytes calldata path)
        private
    {
        Frame frame = record.frame;
        require(frame.has(IN_TREE), MarketSlotFree(deal));
        record.frame = frame.withoutFlag(IN_TREE);
        uint64 leaves = Geometry.leavesFor(terms.length);
        PROOFS.freeSlot(terms.provider, frame.slot(), path, deal, terms.scheme, terms.root, leaves);
    }

    /// @notice Units that misses and faults charge for a deal whose settlement is complete.
    function _units(address provider, Frame frame, Extra extra, uint64 end) private view returns (uint32) {
        uint256 units = uint256(PROOFS.faultUnits(provider, frame.start(), end)) + extra.units();
        // Still open at the end: it was not recovered, or the deal ended first.
        if (frame.has(GAP) && extra.from() < end) units += end - extra.from();
        return units < type(uint32).max ? uint32(units) : type(uint32).max;
    }

    /// @notice Brings the end nearer, never for periods that have begun.
    function _giveNotice(bytes32 deal, Record storage record, uint32 notice) private {
        uint64 end = _checkRunning(deal, record) + 1 + notice;
        Frame frame = record.frame;
        if (end > frame.end()) end = frame.end();
        record.frame = frame.withEnd(end).withFlag(NOTICE);
        if (end < record.progress.payEnd()) record.progress = record.progress.withPayEnd(end);
        emit DealTerminated(deal, record.progress.provider(), end);
    }

    /// @return leaves Of the payload.
    function _checkTerms(DealTerms calldata terms) private view returns (uint64 leaves) {
        require(block.timestamp <= terms.openBefore, MarketOpenTooLate(terms.openBefore, block.timestamp));
        require(terms.scheme == 1, MarketTermsInvalid("scheme"));
        require(terms.client != address(0), MarketTermsInvalid("client"));
        require(terms.periods != 0, MarketTermsInvalid("periods"));
        leaves = Geometry.leavesFor(terms.length);
        uint32 least = terms.periods < terms.notice ? terms.periods : terms.notice;
        if (least == 0) least = 1;
        uint256 needed = Pricing.costOf(terms.rate, PERIOD, least);
        require(terms.deposit >= needed, MarketDepositTooSmall(needed, terms.deposit));
    }

    function _checkSignatures(
        bytes32 digest,
        address client,
        address operator,
        bytes calldata clientSignature,
        bytes calldata operatorSignature
    ) private view {
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, operatorSignature);
        require(signer == operator, MarketOperatorSignatureInvalid(operator, signer));
        require(
            SignatureChecker.isValidSignatureNowCalldata(client, digest, clientSignature),
            MarketClientSignatureInvalid(client)
        );
    }

    /// @notice The leaves that the deal challenges of `period` name, opened against the signed root.
    function _checkRecovery(
        DealTerms calldata terms,
        bytes32 deal,
        uint64 period,
        uint64 leaves,
        bytes[] calldata openings
    ) private view {
        require(
            openings.length == Bundle.DEAL_ENTRIES, MarketRecoveryCount(Bundle.DEAL_ENTRIES, openings.length)
        );
        bytes32 seed = PROOFS.seedOf(period);
        require(seed != 0, IProofLedger.ProofsSeedMissing(period));
        bytes32 base = Challenge.challengeBase(block.chainid, address(PROOFS), terms.provider, period, seed);
        uint256 size = Geometry.LEAF_BYTES + Geometry.depthFor(leaves) * Geometry.NODE_BYTES;
        for (uint32 i = 0; i < openings.length; i++) {
            uint256 leaf = Challenge.dealChallenge(base, deal, i, leaves);
            bool valid = openings[i].length == size && PayloadProof.leafRoot(openings[i], leaf) == terms.root;
            require(valid, MarketRecoveryInvalid(i));
        }
    }

    /// @notice Periods that the deal counts: its term, or what `deposit` pays for when that is less.
    function _paidPeriods(DealTerms calldata terms, uint256 deposit) private view returns (uint64) {
        uint32 funded = Pricing.fundedPeriods(deposit, terms.rate, PERIOD);
        return funded < terms.periods ? funded : terms.periods;
    }

    function _known(DealTerms calldata terms) private view returns (bytes32 deal, Record storage record) {
        deal = dealIdOf(terms);
        record = _deals[deal];
        require(!record.progress.isNone(), MarketDealUnknown(deal));
    }

    function _checkOperator(address provider) private view {
        (address operator,) = REGISTRY.operatorOf(provider);
        require(msg.sender == operator, MarketCallerNotOperator(operator, msg.sender));
    }

    /// @notice The current period, in which the deal has not ended.
    function _checkRunning(bytes32 deal, Record storage record) private view returns (uint64 current) {
        current = currentPeriod();
        (uint64 end,) = _endOf(record, record.progress.provider());
        require(current < end, MarketDealEnded(deal, end));
    }

    /// @notice The first period that the deal does not count, and whether it ends there because its bytes are lost.
    function _endOf(Record storage record, address provider) private view returns (uint64 end, bool lost) {
        Frame frame = record.frame;
        end = frame.end();
        if (frame.has(FAULTED) && record.extra.since() + FAULT_PERIODS_MAX <= end) {
            end = record.extra.since() + FAULT_PERIODS_MAX;
            lost = true;
        }
        uint64 ended = PROOFS.terminatedAt(provider);
        if (ended == 0 || ended > end) return (end, lost);
        return (ended > frame.start() ? ended : frame.start(), true);
    }

    function _stateOf(Frame frame, uint64 end) private view returns (DealState) {
        if (frame.has(CLOSED)) return DealState.Closed;
        if (currentPeriod() >= end) return DealState.Ended;
        return frame.has(FAULTED) ? DealState.Faulty : DealState.Active;
    }
}
