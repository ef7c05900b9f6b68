// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {DealTerms} from "../types/DealTerms.sol";

/// @notice The EIP-712 struct hash of deal terms. Twin: packages/protocol/src/deal/eip712.ts.
library Terms {
    bytes32 internal constant TYPE_HASH = keccak256(
        "DealTerms(address client,address provider,address token,uint8 scheme,bytes32 root,uint64 length,"
        "bytes32 dataset,uint128 rate,uint32 periods,uint128 deposit,uint128 collateral,uint32 notice,"
        "uint128 replacementCost,uint128 egressPrice,bytes32 attributes,bytes32 takedown,uint64 openBefore,"
        "bytes32 nonce)"
    );

    bytes32 internal constant CONSENT_TYPE_HASH = keccak256("Consent(bytes32 deal)");

    /// @notice The EIP-712 struct hash of the consent to end a deal at once.
    function consentHash(bytes32 deal) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONSENT_TYPE_HASH, deal));
    }

    /// @notice All fields are static, so the ABI encoding of the struct is its EIP-712 encoding; the decoder has
    /// refused values that are too wide.
    function structHash(DealTerms memory terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE_HASH, terms));
    }
}
