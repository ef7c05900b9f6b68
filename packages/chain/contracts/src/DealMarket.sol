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
///   sum over open deals of (deposit - paid + collateral) = vault.heldOf
contract DealMarket is IDealMarket, EIP712 {
    using Terms for DealTerms;

    /// @notice The first slot is what a settlement writes, the second what it only reads.
    /// @param payEnd Paid periods are before it: the end, or the first faulted period.
    struct Record {
        address provider;
        uint32 settledThrough;
        uint32 proven;
        uint32 payEnd;
        uint128 rate;
        uint32 start;
        uint32 end;
        uint32 slot;
        uint8 token;
        bool faulted;
        bool inTree;
        bool closed;
    }

    /// @notice Payments of a batch to one provider in one token, not yet sent to the vault.
    struct Payment {
        address provider;
        uint8 token;
        uint256 amount;
        uint256 fee;
    }

    IVault private immutable VAULT;
    IProviderRegistry private immutable REGISTRY;
    IProofLedger private immutable PROOFS;
    uint256 private immutable GENESIS;
    uint256 private immutable PERIOD;
    /// @inheritdoc IDealMarket
    uint256 public immutable feeBps;

    mapping(bytes32 deal => Record record) private _deals;

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
        require(_deals[deal].provider == address(0), MarketDealExists(deal));
        uint64 leaves = _checkTerms(terms);
        _checkSignatures(terms, deal, clientSignature, operatorSignature);

        uint8 token = VAULT.tokenIndex(terms.token);
        uint32 start = uint32(currentPeriod()) + 1;
        uint256 last = start + _paidPeriods(terms);
        require(last <= type(uint32).max, MarketTermsInvalid("periods"));
        uint32 end = uint32(last);
        _deals[deal] = Record({
            provider: terms.provider,
            settledThrough: start,
            proven: 0,
            payEnd: end,
            rate: terms.rate,
            start: start,
            end: end,
            slot: slot,
            token: token,
            faulted: false,
            inTree: true,
            closed: false
        });
        emit DealOpened(
            deal, terms.client, terms.provider, terms.dataset, terms, slot, start, end
        );

        VAULT.lock(token, terms.client, terms.deposit, terms.provider, terms.collateral);
        PROOFS.fillSlot(terms.provider, slot, path, deal, terms.scheme, terms.root, leaves);
    }

    /// @inheritdoc IDealMarket
    function declareFault(DealTerms calldata terms, bytes calldata path) external {
        (bytes32 deal, Record storage record) = _known(terms);
        _checkOperator(terms.provider);
        uint64 current = currentPeriod();
        require(!record.faulted, MarketDealFaulted(deal));
        require(current < record.end, MarketDealEnded(deal, record.end));

        uint64 from = PROOFS.isProven(terms.provider, current) ? current + 1 : current;
        if (from < record.start) from = record.start;
        record.faulted = true;
        record.payEnd = uint32(from);
        emit DealFaulted(deal, terms.provider, from);

        _leaveTree(deal, record, terms, path);
    }

    /// @inheritdoc IDealMarket
    function terminateDeal(DealTerms calldata terms) external {
        (bytes32 deal, Record storage record) = _known(terms);
        require(msg.sender == terms.client, MarketCallerNotClient(terms.client, msg.sender));
        uint64 current = currentPeriod();
        require(current < record.end, MarketDealEnded(deal, record.end));

        uint256 end = uint256(current) + 1 + (record.faulted ? 0 : terms.notice);
        if (end < record.end) record.end = uint32(end);
        if (record.end < record.payEnd) record.payEnd = record.end;
        emit DealTerminated(deal, terms.provider, record.end);
    }

    /// @inheritdoc IDealMarket
    function settle(bytes32 deal) external {
        Payment memory payment = _settle(deal);
        _pay(payment);
    }

    /// @inheritdoc IDealMarket
    function settleMany(bytes32[] calldata deals) external {
        Payment memory pending;
        for (uint256 i = 0; i < deals.length; i++) {
            Payment memory payment = _settle(deals[i]);
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
    function closeDeal(DealTerms calldata terms) external {
        (bytes32 deal, Record storage record) = _known(terms);
        require(!record.closed, MarketDealClosed(deal));
        uint64 end = record.end;
        require(currentPeriod() >= end, MarketDealNotEnded(deal, end));
        uint64 final_ = PROOFS.finalThrough(terms.provider);
        require(final_ >= end, MarketDealNotFinal(deal, end, final_));

        _pay(_settle(deal));
        record.closed = true;
        uint256 refund = terms.deposit - Pricing.costOf(record.rate, PERIOD, record.proven);
        emit DealClosed(deal, terms.provider, refund, terms.collateral);
        VAULT.release(record.token, terms.client, refund, terms.provider, terms.collateral);
    }

    /// @inheritdoc IDealMarket
    function releaseSlot(DealTerms calldata terms, bytes calldata path) external {
        (bytes32 deal, Record storage record) = _known(terms);
        _checkOperator(terms.provider);
        require(currentPeriod() >= record.end, MarketDealNotEnded(deal, record.end));
        _leaveTree(deal, record, terms, path);
    }

    /// @inheritdoc IDealMarket
    function getDeal(bytes32 deal) external view returns (Deal memory view_) {
        Record storage record = _deals[deal];
        if (record.provider == address(0)) return view_;
        view_.provider = record.provider;
        view_.state = _stateOf(record);
        view_.start = record.start;
        view_.end = record.end;
        view_.settledThrough = record.settledThrough;
        view_.faulted = record.faulted;
        view_.faultedFrom = record.faulted ? record.payEnd : 0;
        view_.slot = record.slot;
        view_.inTree = record.inTree;
        view_.token = VAULT.tokenAt(record.token);
        view_.rate = record.rate;
        view_.proven = record.proven;
        view_.paid = Pricing.costOf(record.rate, PERIOD, record.proven);
    }

    /// @inheritdoc IDealMarket
    function escrowOf(DealTerms calldata terms) external view returns (uint256) {
        Record storage record = _deals[dealIdOf(terms)];
        if (record.provider == address(0) || record.closed) return 0;
        return terms.deposit - Pricing.costOf(record.rate, PERIOD, record.proven);
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
    function _settle(bytes32 deal) private returns (Payment memory payment) {
        Record storage record = _deals[deal];
        (address provider, uint256 from, uint256 proven, uint256 payEnd) =
            (record.provider, record.settledThrough, record.proven, record.payEnd);
        require(provider != address(0), MarketDealUnknown(deal));
        (payment.provider, payment.token) = (provider, record.token);
        if (from >= payEnd) return payment;
        (uint64 through, uint64 more) = PROOFS.accrued(provider, uint64(from), uint64(payEnd));
        if (through <= from) return payment;

        uint256 before = Pricing.costOf(record.rate, PERIOD, proven);
        proven += more;
        uint256 gross = Pricing.costOf(record.rate, PERIOD, proven);
        // The fee follows the total, so that settling often or seldom costs the same to the unit.
        payment.fee = Pricing.feeOf(gross, feeBps) - Pricing.feeOf(before, feeBps);
        payment.amount = gross - before - payment.fee;
        record.settledThrough = uint32(through);
        record.proven = uint32(proven);
        emit DealSettled(deal, through, gross - before, payment.fee);
    }

    /// @notice The one way out for payments to providers.
    function _pay(Payment memory payment) private {
        if (payment.amount == 0 && payment.fee == 0) return;
        VAULT.pay(payment.token, payment.provider, payment.amount, payment.fee);
    }

    function _leaveTree(
        bytes32 deal,
        Record storage record,
        DealTerms calldata terms,
        bytes calldata path
    ) private {
        require(record.inTree, MarketSlotFree(deal));
        record.inTree = false;
        uint64 leaves = Geometry.leavesFor(terms.length);
        PROOFS.freeSlot(
            terms.provider, record.slot, path, deal, terms.scheme, terms.root, leaves
        );
    }

    /// @return leaves Of the payload.
    function _checkTerms(DealTerms calldata terms) private view returns (uint64 leaves) {
        require(
            block.timestamp <= terms.openBefore, MarketOpenTooLate(terms.openBefore, block.timestamp)
        );
        require(terms.scheme == 1, MarketTermsInvalid("scheme"));
        require(terms.client != address(0), MarketTermsInvalid("client"));
        require(terms.periods != 0, MarketTermsInvalid("periods"));
        leaves = Geometry.leavesFor(terms.length);
        uint256 least = terms.periods < terms.notice ? terms.periods : terms.notice;
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
    function _paidPeriods(DealTerms calldata terms) private view returns (uint256) {
        uint256 funded = Pricing.fundedPeriods(terms.deposit, terms.rate, PERIOD);
        return funded < terms.periods ? funded : terms.periods;
    }

    function _known(DealTerms calldata terms)
        private
        view
        returns (bytes32 deal, Record storage record)
    {
        deal = dealIdOf(terms);
        record = _deals[deal];
        require(record.provider != address(0), MarketDealUnknown(deal));
    }

    function _checkOperator(address provider) private view {
        (address operator,) = REGISTRY.operatorOf(provider);
        require(msg.sender == operator, MarketCallerNotOperator(operator, msg.sender));
    }

    function _stateOf(Record storage record) private view returns (DealState) {
        if (record.closed) return DealState.Closed;
        if (currentPeriod() >= record.end) return DealState.Ended;
        return record.faulted ? DealState.Faulty : DealState.Active;
    }
}
