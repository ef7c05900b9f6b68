// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Everything client and provider sign about one deal. The deal's id is the EIP-712 digest of this
/// struct, so terms are proven by hashing them again and need no storage. Twin: packages/protocol/src/deal.
/// @param client Pays; signs; may terminate.
/// @param provider Owner account of the provider; its operator signs.
/// @param token Must be on the vault's list.
/// @param scheme Payload commitment scheme; only 1 (sha256-1k) opens for now.
/// @param root Root of the payload's tree.
/// @param length True length of the payload in bytes, 1 to 2^50.
/// @param dataset Digest inside the dataset's root CID, or zero when private.
/// @param rate Token base units per second, times 10^12.
/// @param periods The term, counted from the period after the opening.
/// @param deposit Moved from the client's free balance into escrow.
/// @param collateral Locked from the provider's free balance.
/// @param notice Periods between a termination and the end.
/// @param replacementCost The most that the client is compensated when the bytes are lost.
/// @param egressPrice Price of 2^40 bytes read.
/// @param attributes Hash of required provider attributes, or zero.
/// @param takedown Hash of accepted takedown signers, or zero.
/// @param openBefore Last block time at which the deal can be opened.
/// @param nonce Chosen by the client.
struct DealTerms {
    address client;
    address provider;
    address token;
    uint8 scheme;
    bytes32 root;
    uint64 length;
    bytes32 dataset;
    uint128 rate;
    uint32 periods;
    uint128 deposit;
    uint128 collateral;
    uint32 notice;
    uint128 replacementCost;
    uint128 egressPrice;
    bytes32 attributes;
    bytes32 takedown;
    uint64 openBefore;
    bytes32 nonce;
}
