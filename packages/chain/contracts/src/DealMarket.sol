// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IBeacon} from "./interfaces/IBeacon.sol";
import {IDealMarket} from "./interfaces/IDealMarket.sol";
import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Geometry} from "./libraries/Geometry.sol";
import {Pricing} from "./libraries/Pricing.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {Terms} from "./libraries/Terms.sol";
import {DealTerms} from "./types/DealTerms.sol";
import {CLOSED, FAULTED, Frame, IN_TREE, toFrame} from "./types/Frame.sol";
import {Progress, toProgress} from "./types/Progress.sol";
import {ScheduleParams} from "./types/ScheduleParams.sol";

/// @title Deals and their money
/// @notice See IDealMarket. Immutable, without an administrator. A deal takes two storage slots: what its terms
/// say is shown again by whoever needs it and checked by hashing, since the deal's id is their digest.
///
/// Deployment, from one account at consecutive nonces n, n+1, ...:
///   n    DrandBeacon(schedule, public key)
///   n+1  Vault(tokens, fee account, address of n+2, address of n+4)
///   n+2  ProviderRegistry(vault, address of n+3, minimum stake)
///   n+3  ProofLedger(registry, address of n+4, beacon, direct challenges)
///   n+4  DealMarket(vault, registry, proofs, fee)
/// The market comes last and refuses construction unless all of them point at each other.
///
/// Invariants, for every deal:
///   paid = costOf(rate, P, proven) <= deposit;   fees = feeOf(paid);   start <= settledThrough
///   proven = number of proven periods p of the provider, start <= p < min(settledThrough, payEnd)
///   sum over open deals of (deposit - paid + collateral) + sum of earnedOf + feesOf - withdrawn fees
///     = vault.heldOf
contract DealMarket is IDealMarket, EIP712 {
    using Terms for DealTerms;

    /// @notice A settlement reads both words and writes the first.
    struct Record {
        Progress progress;
        Frame frame;
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

    IVault private immutable VAULT;
    IProviderRegistry private immutable REGISTRY;
    IProofLedger private immutable PROOFS;
    uint64 private immutable GENESIS;
    uint64 private immutable PERIOD;
    /// @inheritdoc IDealMarket
    uint256 public immutable feeBps;

    mapping(bytes32 deal => Record record) private _deals;
    mapping(uint8 token => mapping(address provider => uint256 amount)) private _earned;
    mapping(uint8 token => uint256 amount) private _fees;

    /// @param feeBps_ Part of every payment that is the fee, in 1/10,000, below 10,000.
    constructor(IVault vault, IProviderRegistry registry, IProofLedger proofs, uint256 feeBps_)
        EIP712("Holdfast", "1")
    {
        require(
            vault.market() == address(this) && vault.registry() == address(registry)
                && proofs.market() == address(this) && proofs.registry() == address(registry)
                && registry.vault() == address(vault) && registry.proofs() == address(proofs),
            MarketWiringInvalid()
        );
        require(feeBps_ < Pricing.BPS, MarketFeeInvalid(feeBps_));
        (VAULT, REGISTRY, PROOFS, feeBps) = (vault, registry, proofs, feeBps_);
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
        _checkSignatures(terms, deal, clientSignature, operatorSignature);

        uint64 start = currentPeriod() + 1;
        uint64 end = start + _paidPeriods(terms);
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
        _checkOperator(terms.provider);
        Frame frame = record.frame;
        uint64 current = currentPeriod();
        require(!frame.has(FAULTED), MarketDealFaulted(deal));
        require(current < frame.end(), MarketDealEnded(deal, frame.end()));

        uint64 from = PROOFS.isProven(terms.provider, current) ? current + 1 : current;
        if (from < frame.start()) from = frame.start();
        record.progress = record.progress.withPayEnd(from);
        record.frame = frame.withFlag(FAULTED);
        emit DealFaulted(deal, terms.provider, from);

        _leaveTree(deal, record, terms, path);
    }

    /// @inheritdoc IDealMarket
    function terminateDeal(DealTerms calldata terms) external {
        (bytes32 deal, Record storage record) = _known(terms);
        require(msg.sender == terms.client, MarketCallerNotClient(terms.client, msg.sender));
        Frame frame = record.frame;
        uint64 current = currentPeriod();
        require(current < frame.end(), MarketDealEnded(deal, frame.end()));

        uint64 end = current + 1 + (frame.has(FAULTED) ? 0 : terms.notice);
        if (end > frame.end()) end = frame.end();
        record.frame = frame.withEnd(end);
        if (end < record.progress.payEnd()) record.progress = record.progress.withPayEnd(end);
        emit DealTerminated(deal, terms.provider, end);
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
    function collect(uint8 token, address owner) external returns (uint256 amount) {
        require(msg.sender == address(VAULT), MarketCallerNotVault(msg.sender));
        amount = _earned[token][owner];
        delete _earned[token][owner];
    }

    /// @inheritdoc IDealMarket
    function closeDeal(DealTerms calldata terms) external {
        (bytes32 deal, Record storage record) = _known(terms);
        Frame frame = record.frame;
        require(!frame.has(CLOSED), MarketDealClosed(deal));
        uint64 end = frame.end();
        require(currentPeriod() >= end, MarketDealNotEnded(deal, end));
        uint64 final_ = PROOFS.finalThrough(terms.provider);
        require(final_ >= end, MarketDealNotFinal(deal, end, final_));

        Accrual memory accrual;
        _pay(_settle(deal, accrual));
        record.frame = frame.withFlag(CLOSED);
        uint256 refund = terms.deposit - Pricing.costOf(terms.rate, PERIOD, record.progress.proven());
        emit DealClosed(deal, terms.provider, refund, terms.collateral);
        VAULT.release(frame.token(), terms.client, refund, terms.provider, terms.collateral);
    }

    /// @inheritdoc IDealMarket
    function releaseSlot(DealTerms calldata terms, bytes calldata path) external {
        (bytes32 deal, Record storage record) = _known(terms);
        _checkOperator(terms.provider);
        uint64 end = record.frame.end();
        require(currentPeriod() >= end, MarketDealNotEnded(deal, end));
        _leaveTree(deal, record, terms, path);
    }

    /// @inheritdoc IDealMarket
    function getDeal(bytes32 deal) external view returns (Deal memory view_) {
        (Progress progress, Frame frame) = (_deals[deal].progress, _deals[deal].frame);
        if (progress.isNone()) return view_;
        view_.provider = progress.provider();
        view_.state = _stateOf(frame);
        view_.start = frame.start();
        view_.end = frame.end();
        view_.settledThrough = progress.settledThrough();
        view_.faulted = frame.has(FAULTED);
        view_.faultedFrom = view_.faulted ? progress.payEnd() : 0;
        view_.slot = frame.slot();
        view_.inTree = frame.has(IN_TREE);
        view_.token = VAULT.tokenAt(frame.token());
        view_.rate = frame.rate();
        view_.proven = progress.proven();
        view_.paid = Pricing.costOf(view_.rate, PERIOD, progress.proven());
    }

    /// @inheritdoc IDealMarket
    function escrowOf(DealTerms calldata terms) external view returns (uint256) {
        Record storage record = _deals[dealIdOf(terms)];
        if (record.progress.isNone() || record.frame.has(CLOSED)) return 0;
        return terms.deposit - Pricing.costOf(terms.rate, PERIOD, record.progress.proven());
    }

    /// @inheritdoc IDealMarket
    function earnedOf(uint8 token, address owner) external view returns (uint256) {
        return _earned[token][owner];
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
        if (from >= payEnd) return payment;
        (uint64 through, uint64 more) = _accrued(accrual, payment.provider, from, payEnd);
        if (through <= from) return payment;

        Frame frame = record.frame;
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

    function _leaveTree(bytes32 deal, Record storage record, DealTerms calldata terms, bytes calldata path)
        private
    {
        Frame frame = record.frame;
        require(frame.has(IN_TREE), MarketSlotFree(deal));
        record.frame = frame.withoutFlag(IN_TREE);
        uint64 leaves = Geometry.leavesFor(terms.length);
        PROOFS.freeSlot(terms.provider, frame.slot(), path, deal, terms.scheme, terms.root, leaves);
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
        DealTerms calldata terms,
        bytes32 deal,
        bytes calldata clientSignature,
        bytes calldata operatorSignature
    ) private view {
        (address operator, bool accepting) = REGISTRY.operatorOf(terms.provider);
        require(accepting, MarketProviderNotAccepting(terms.provider));
        (address signer,,) = ECDSA.tryRecoverCalldata(deal, operatorSignature);
        require(signer == operator, MarketOperatorSignatureInvalid(operator, signer));
        require(
            SignatureChecker.isValidSignatureNowCalldata(terms.client, deal, clientSignature),
            MarketClientSignatureInvalid(terms.client)
        );
    }

    /// @notice Periods that the deal counts: its term, or what the deposit pays for when that is less.
    function _paidPeriods(DealTerms calldata terms) private view returns (uint64) {
        uint32 funded = Pricing.fundedPeriods(terms.deposit, terms.rate, PERIOD);
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

    function _stateOf(Frame frame) private view returns (DealState) {
        if (frame.has(CLOSED)) return DealState.Closed;
        if (currentPeriod() >= frame.end()) return DealState.Ended;
        return frame.has(FAULTED) ? DealState.Faulty : DealState.Active;
    }
}
