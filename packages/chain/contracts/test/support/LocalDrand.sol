// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Bls} from "../../src/libraries/Bls.sol";

/// @notice A drand of one node with a known key, signing by the EIP-2537 multiplication precompiles.
library LocalDrand {
    uint256 internal constant SECRET = uint256(keccak256("holdfast test drand")) >> 2;

    bytes private constant G2_GENERATOR = hex"00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d177"
        hex"0bac0326a805bbefd48056c8c121bdb8"
        hex"0000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049"
        hex"334cf11213945d57e5ac7d055d042b7e"
        hex"000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c"
        hex"923ac9cc3baca289e193548608b82801"
        hex"000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab"
        hex"3f370d275cec1da1aaa9075ff05f79be";

    function publicKey() internal view returns (bytes memory) {
        return _multiply(address(0x0e), G2_GENERATOR, 256);
    }

    /// @notice The round's signature as an EIP-2537 G1 point.
    function sign(uint64 round) internal view returns (bytes memory) {
        bytes32 message = sha256(abi.encodePacked(round));
        return _multiply(address(0x0c), Bls.hashToG1(message), 128);
    }

    function _multiply(address precompile, bytes memory point, uint256 size)
        private
        view
        returns (bytes memory result)
    {
        bool success;
        (success, result) = precompile.staticcall(abi.encodePacked(point, SECRET));
        require(success && result.length == size, "multiplication precompile failed");
    }
}
