// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice BLS signatures of drand's scheme bls-unchained-g1-rfc9380 through the EIP-2537 precompiles:
/// signatures on G1, keys on G2, messages hashed to G1 as RFC 9380 says for BLS12381G1_XMD:SHA-256_SSWU_RO.
/// Every precompile call checks success and the size of what comes back, so that a chain without the
/// precompile fails here and never passes. Points are EIP-2537 encoded: 64 bytes per field element.
library Bls {
    address internal constant MODEXP = address(0x05);
    address internal constant G1_ADD = address(0x0b);
    address internal constant PAIRING = address(0x0f);
    address internal constant MAP_FP_TO_G1 = address(0x10);

    bytes internal constant DST_PRIME = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_\x2b";

    bytes32 private constant G1_INFINITY = keccak256(new bytes(128));
    bytes32 private constant P_HIGH = 0x000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7;
    bytes32 private constant P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

    bytes internal constant G1_GENERATOR = hex"0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
        hex"6c55e83ff97a1aeffb3af00adb22c6bb"
        hex"0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3ed"
        hex"d03cc744a2888ae40caa232946c5e7e1";
    bytes internal constant G1_GENERATOR_NEGATED = hex"0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
        hex"6c55e83ff97a1aeffb3af00adb22c6bb"
        hex"00000000000000000000000000000000114d1d6855d545a8aa7d76c8cf2e21f267816aef1db507c96655b9d5caac4236"
        hex"4e6f38ba0ecb751bad54dcd6b939c2ca";
    bytes internal constant G2_GENERATOR_NEGATED = hex"00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d177"
        hex"0bac0326a805bbefd48056c8c121bdb8"
        hex"0000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049"
        hex"334cf11213945d57e5ac7d055d042b7e"
        hex"000000000000000000000000000000000d1b3cc2c7027888be51d9ef691d77bcb679afda66c73f17f9ee3837a55024f7"
        hex"8c71363275a75d75d86bab79f74782aa"
        hex"0000000000000000000000000000000013fa4d4a0ad8b1ce186ed5061789213d993923066dddaf1040bc3ff59f825c78"
        hex"df74f2d75467e25e0f55f8a00fa030ed";

    /// @notice A precompile did not answer with what its specification says.
    error BlsPrecompileFailed(address precompile);

    /// @notice Whether `signature` signs `message` under `publicKey`. False for anything that is not a point of
    /// the right group, for the point at infinity, and for any other signature.
    function verify(bytes32 message, bytes memory signature, bytes memory publicKey)
        internal
        view
        returns (bool)
    {
        if (signature.length != 128 || keccak256(signature) == G1_INFINITY) return false;
        bytes memory pairs = abi.encodePacked(signature, G2_GENERATOR_NEGATED, hashToG1(message), publicKey);
        (bool success, bytes memory result) = PAIRING.staticcall(pairs);
        return success && result.length == 32 && bytes32(result) == bytes32(uint256(1));
    }

    /// @notice Whether the product of the pairings is one; reverts unless the precompile answers a truth value.
    function pairingIsOne(bytes memory pairs) internal view returns (bool) {
        uint256 result = uint256(bytes32(_call(PAIRING, pairs, 32)));
        require(result <= 1, BlsPrecompileFailed(PAIRING));
        return result == 1;
    }

    /// @notice hash_to_curve of RFC 9380 for a 32-byte message, 128 bytes.
    function hashToG1(bytes32 message) internal view returns (bytes memory) {
        bytes32[4] memory uniform = expand(message);
        bytes memory first = _call(MAP_FP_TO_G1, _toField(uniform[0], uniform[1]), 128);
        bytes memory second = _call(MAP_FP_TO_G1, _toField(uniform[2], uniform[3]), 128);
        return _call(G1_ADD, abi.encodePacked(first, second), 128);
    }

    /// @notice expand_message_xmd (RFC 9380, 5.3.1) with SHA-256, to 128 bytes.
    function expand(bytes32 message) internal pure returns (bytes32[4] memory) {
        bytes32 b0 = sha256(abi.encodePacked(new bytes(64), message, uint16(128), uint8(0), DST_PRIME));
        bytes32 b1 = sha256(abi.encodePacked(b0, uint8(1), DST_PRIME));
        bytes32 b2 = sha256(abi.encodePacked(b0 ^ b1, uint8(2), DST_PRIME));
        bytes32 b3 = sha256(abi.encodePacked(b0 ^ b2, uint8(3), DST_PRIME));
        bytes32 b4 = sha256(abi.encodePacked(b0 ^ b3, uint8(4), DST_PRIME));
        return [b1, b2, b3, b4];
    }

    /// @notice 64 bytes, given as two words, as a number modulo the field's prime, 64 bytes.
    function _toField(bytes32 high, bytes32 low) private view returns (bytes memory) {
        bytes memory input =
            abi.encodePacked(uint256(64), uint256(1), uint256(64), high, low, uint8(1), P_HIGH, P_LOW);
        return _call(MODEXP, input, 64);
    }

    function _call(address precompile, bytes memory input, uint256 size)
        private
        view
        returns (bytes memory result)
    {
        bool success;
        (success, result) = precompile.staticcall(input);
        require(success && result.length == size, BlsPrecompileFailed(precompile));
    }
}
