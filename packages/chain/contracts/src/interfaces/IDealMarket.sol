// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {DealTerms} from "../types/DealTerms.sol";

/// @notice Deals and their money: opened with both signatures, paid per proven period, closed to the last unit.
/// A deal opened in period q counts the periods start = q + 1 <= p < end.
interface IDealMarket {
    /// @notice How a deal stands in the current period. Closed goes before Ended, Ended before Faulty.
    enum DealState {
        None,
        Active,
        Faulty,
        Ended,
        Closed
    }

    /// @param settledThrough Settled periods are start <= p < settledThrough.
    /// @param end First period that no longer counts: the smallest of term, funding, notice, the 14th period of the
    /// present fault, and the termination of the provider.
    /// @param faulted True while a declared fault lasts.
    /// @param faultedFrom First unpaid period of the fault that is not settled yet; zero when there is none.
    /// @param faultedSince First period of the present fault; the deal is lost 14 periods later. Zero when there is none.
    /// @param recoveredAt First paid period after that fault; zero when there is none or it lasts.
    /// @param faultUnits Units charged for earlier faults.
    /// @param lost Ended by a fault of 14 periods or by the termination of the provider: all collateral is seized.
    /// @param inTree True while the deal occupies `slot` of its provider's tree.
    /// @param proven Periods paid so far.
    /// @param paid Gross, fee included: costOf(rate, proven).
    /// @param toppedUp Added to the deposit of the terms.
    struct Deal {
        address provider;
        DealState state;
        uint64 start;
        uint64 end;
        uint64 settledThrough;
        bool faulted;
        uint64 faultedFrom;
        uint64 faultedSince;
        uint64 recoveredAt;
        uint64 faultUnits;
        bool lost;
        uint32 slot;
        bool inTree;
        address token;
        uint128 rate;
        uint64 proven;
        uint256 paid;
        uint256 toppedUp;
    }

    event DealOpened(
        bytes32 deal,
        address indexed client,
        address indexed provider,
        bytes32 indexed dataset,
        DealTerms terms,
        uint32 slot,
        uint64 start,
        uint64 end
    );
    event DealFaulted(bytes32 indexed deal, address indexed provider, uint64 period);
    /// @notice Back in the tree, in `slot`, and paid again from `period` on.
    event DealRecovered(bytes32 indexed deal, address indexed provider, uint32 slot, uint64 period);
    /// @notice The end came nearer: by notice of either side or by consent.
    event DealTerminated(bytes32 indexed deal, address indexed provider, uint64 end);
    event DealToppedUp(
        bytes32 indexed deal, address indexed provider, address from, uint256 amount, uint64 end
    );
    /// @notice Periods before `through` are settled; `paid` is what this settlement paid, `fee` included in it.
    event DealSettled(bytes32 indexed deal, uint64 through, uint256 paid, uint256 fee);
    /// @notice `refunded` (escrow) and `compensated` (collateral) went to the client, `returned` (collateral) to the
    /// provider, `forfeited` (collateral) to the fee account.
    event DealClosed(
        bytes32 indexed deal,
        address indexed provider,
        uint256 refunded,
        uint256 returned,
        uint256 compensated,
        uint256 forfeited
    );

    /// @notice The contracts given at construction do not point at each other and at this one.
    error MarketWiringInvalid();
    error MarketFeeInvalid(uint256 feeBps);
    error MarketCallerNotVault(address caller);
    error MarketDealUnknown(bytes32 deal);
    error MarketDealExists(bytes32 deal);
    error MarketTermsInvalid(string field);
    error MarketOpenTooLate(uint64 openBefore, uint256 time);
    error MarketProviderNotAccepting(address provider);
    error MarketClientSignatureInvalid(address client);
    error MarketOperatorSignatureInvalid(address operator, address recovered);
    error MarketDepositTooSmall(uint256 needed, uint256 actual);
    error MarketCallerNotClient(address client, address caller);
    error MarketCallerNotOperator(address operator, address caller);
    error MarketDealEnded(bytes32 deal, uint64 end);
    error MarketDealNotEnded(bytes32 deal, uint64 end);
    error MarketDealNotFinal(bytes32 deal, uint64 end, uint64 finalThrough);
    error MarketDealFaulted(bytes32 deal);
    error MarketDealNotFaulted(bytes32 deal);
    error MarketNoticeGiven(bytes32 deal);
    error MarketTopUpTooLarge(uint256 most, uint256 actual);
    error MarketRecoveryCount(uint256 expected, uint256 actual);
    /// @notice Opening `i` is not the challenged leaf of the signed root.
    error MarketRecoveryInvalid(uint256 i);
    error MarketDealClosed(bytes32 deal);
    error MarketSlotFree(bytes32 deal);

    /// @notice Opens a deal that both parties signed; by anybody. The deal id is returned.
    /// @param clientSignature 65 bytes, or anything that the client's ERC-1271 wallet accepts.
    /// @param operatorSignature 65 bytes by the provider's operator.
    /// @param slot An empty slot of the provider's tree, at most its slot count.
    /// @param path Siblings of the slot (after growth), 40 bytes each: hash, weight (uint64).
    function openDeal(
        DealTerms calldata terms,
        bytes calldata clientSignature,
        bytes calldata operatorSignature,
        uint32 slot,
        bytes calldata path
    ) external returns (bytes32 deal);

    /// @notice The bytes are lost: the deal is unpaid from this period on (from the next when this one is already
    /// proven) and leaves the tree from the next period on. Only the operator; anybody when a dispute has shown the
    /// deal lost.
    function declareFault(DealTerms calldata terms, bytes calldata path) external;

    /// @notice The bytes are there again: the deal takes a slot and is paid from the next period on. Only the operator.
    /// @param slot An empty slot, and its path, as in `openDeal`.
    /// @param openings The leaves that deal challenges 0 .. 4 of the current period name: 1024 bytes and the path in
    /// the payload's tree each.
    function recoverDeal(
        DealTerms calldata terms,
        uint32 slot,
        bytes calldata path,
        bytes[] calldata openings
    ) external;

    /// @notice Adds `amount` of the sender's free balance to the deposit, up to the cost of the whole term. By anybody,
    /// while the deal runs and nobody has given notice.
    function topUp(DealTerms calldata terms, uint128 amount) external;

    /// @notice Gives notice: the deal ends at the smaller of its end and now + 1 + notice, or now + 1 when it is
    /// faulty. Only the client.
    function terminateDeal(DealTerms calldata terms) external;

    /// @notice Gives notice for the provider: the deal ends at the smaller of its end and now + 1 + notice. Only the
    /// operator.
    function resignDeal(DealTerms calldata terms) external;

    /// @notice Ends a deal at now + 1 because both agree. By anybody with both signatures of `consentOf(deal)`.
    function closeByConsent(
        DealTerms calldata terms,
        bytes calldata clientSignature,
        bytes calldata operatorSignature
    ) external;

    /// @notice Pays what is proven and final. Zero is a valid result. By anybody.
    function settle(bytes32 deal) external;

    /// @notice Settles many deals. By anybody.
    function settleMany(bytes32[] calldata deals) external;

    /// @notice Hands what `provider` earned by settled deals over to the vault, which credits it. Only the vault.
    function collect(uint8 token, address provider) external returns (uint256 amount);

    /// @notice Settles an ended deal to the last unit, once every period before its end is final: rest of the escrow
    /// to the client, collateral to the provider, less what misses and faults are charged. By anybody.
    function closeDeal(DealTerms calldata terms) external;

    /// @notice Takes an ended or closed deal out of the tree. Only the operator.
    function releaseSlot(DealTerms calldata terms, bytes calldata path) external;

    /// @notice The record of a deal; state None when there is none.
    function getDeal(bytes32 deal) external view returns (Deal memory);

    /// @notice The id of a deal with these terms on this network.
    function dealIdOf(DealTerms calldata terms) external view returns (bytes32);

    /// @notice Escrow still held for a deal; zero when it is closed or was never opened.
    function escrowOf(DealTerms calldata terms) external view returns (uint256);

    /// @notice The EIP-712 digest that both sides sign to end a deal at once.
    function consentOf(bytes32 deal) external view returns (bytes32);

    /// @notice Earned by settled deals and not yet collected, in the token with this index in the vault.
    function earnedOf(uint8 token, address provider) external view returns (uint256);

    /// @notice All that the fee account got from deals ever, fees and forfeited collateral, in the token with this
    /// index in the vault.
    function feesOf(uint8 token) external view returns (uint256);

    /// @notice The period that contains the current block time.
    function currentPeriod() external view returns (uint64);

    function feeBps() external view returns (uint256);

    function domainSeparator() external view returns (bytes32);
}
