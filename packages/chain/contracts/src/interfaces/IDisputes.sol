// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Bundle} from "../libraries/Bundle.sol";
import {Place} from "../types/Place.sol";

/// @notice Questions about committed periods: anybody asks for one entry of a bundle and puts up a bond; the
/// provider shows it and gets the bond, or loses stake and the period. Also what an unanswered audit costs. Rules:
/// docs/spec/settlement.md sections 2 and 3.
interface IDisputes {
    enum Status {
        None,
        Open,
        Answered,
        Lost,
        Expired
    }

    /// @param bond In base units of the vault's first token.
    struct Dispute {
        Status status;
        address opener;
        uint64 openedAt;
        uint256 bond;
    }

    event DisputeOpened(
        bytes32 indexed id,
        address indexed provider,
        uint64 indexed period,
        Bundle.Class class,
        bytes32 deal,
        uint32 i,
        address opener,
        uint256 bond
    );
    event DisputeAnswered(bytes32 indexed id, address indexed provider, uint64 indexed period);
    /// @notice `slashed` left the provider's stake, half of it (rounded down) to the opener; nothing when the period was
    /// lost before.
    event DisputeLost(
        bytes32 indexed id, address indexed provider, uint64 indexed period, address opener, uint256 slashed
    );
    /// @notice The chain could not be used for long enough in 30 periods: the bond is back, the period is not paid, nobody is slashed.
    event DisputeExpired(bytes32 indexed id, address indexed provider, uint64 indexed period);
    /// @notice `slashed` left the provider's stake, half of it (rounded down) to the caller.
    event AuditLost(address indexed provider, uint64 indexed period, address caller, uint256 slashed);
    /// @notice A question about this deal was lost: anybody may declare its fault.
    event DealShownLost(bytes32 indexed deal, address indexed provider, uint64 period);

    error DisputesWiringInvalid();
    error DisputesCallerNotMarket(address caller);
    error DisputesQuestionInvalid(Bundle.Class class, bytes32 deal, uint32 i);
    error DisputesNotMember(bytes32 deal);
    error DisputesExists(bytes32 id);
    error DisputesNotOpen(bytes32 id);
    /// @notice The provider still has time.
    error DisputesTooEarly(bytes32 id, uint256 notBefore);
    /// @notice `usable` must name `needed` increasing periods since the dispute was opened, with a seed, and over.
    error DisputesNotUsable(uint256 needed, uint64 period);
    /// @notice In 30 periods the chain could be used for as long as the provider has time, up to `period`: the dispute
    /// does not expire, it is slashed.
    error DisputesNotExpired(bytes32 id, uint64 period);

    /// @notice Asks for an entry of a committed bundle. By anybody; the bond leaves the sender's free balance.
    /// @param membership For the class deal the head of an answer of this deal (77 bytes and the path in the
    /// provider's tree): the deal was in the period's tree. Empty for the class global.
    function openDispute(
        address provider,
        uint64 period,
        Bundle.Question calldata question,
        bytes calldata membership
    ) external returns (bytes32 id);

    /// @notice Shows the entry that was asked for. By anybody, until the dispute is lost.
    /// @param opening Encoded as libraries/Bundle.sol says.
    function answerDispute(Place place, bytes calldata opening) external;

    /// @notice Ends a dispute that was not answered in time. By anybody.
    /// @param usable Periods in which the chain could be used: ceil(answerTime / P) of them. None at all: the
    /// dispute is over 30 periods old, fewer of those than that had a seed, and it expires.
    function slashTimeout(
        address provider,
        uint64 period,
        Bundle.Question calldata question,
        uint64[] calldata usable
    ) external;

    /// @notice Ends an audit that was not answered in time. By anybody.
    /// @param usable A period after the audited one, with a seed, and over. The audited period itself: the audit
    /// is over 30 periods old, none of those had a seed, and it expires without a slash.
    function slashAudit(address provider, uint64 usable) external;

    /// @notice The deal was recovered. Only the market.
    function clearLost(bytes32 deal) external;

    function disputeOf(bytes32 id) external view returns (Dispute memory);

    /// @notice keccak256(abi.encode(provider, period, class, deal, i)).
    function idOf(address provider, uint64 period, Bundle.Question memory question)
        external
        pure
        returns (bytes32);

    /// @notice Whether a lost dispute showed that the provider cannot open this deal.
    function isShownLost(bytes32 deal) external view returns (bool);

    /// @notice Usable periods that must pass: ceil(answerTime / P).
    function usablePeriods() external view returns (uint256);

    function disputeBond() external view returns (uint256);

    function disputeSlash() external view returns (uint256);

    function vault() external view returns (address);

    function registry() external view returns (address);

    function proofs() external view returns (address);
}
