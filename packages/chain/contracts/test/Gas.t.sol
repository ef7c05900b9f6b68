// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "../src/interfaces/IBeacon.sol";
import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {ProviderTree} from "../src/libraries/ProviderTree.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {LocalDrand} from "./support/LocalDrand.sol";
import {Measured} from "./support/Measured.sol";
import {PayloadTree} from "./support/PayloadTree.sol";

/// @notice What transactions cost, against the bounds of docs/spec: each call is a transaction of its own
/// (isolate), so that intrinsic gas, calldata and cold storage are in the figures, with and without the calldata floor.
/// `forge.mjs test` fails when a figure differs from contracts/snapshots.
/// forge-config: default.isolate = true
contract GasTest is Measured {
    uint256 private constant DEEP = 30;
    bytes32 private constant BIG = keccak256("1 TiB of equal leaves");

    /// @dev One of 65,536 slots; the tree around it is poked into storage, with arbitrary siblings.
    uint32 private constant SLOT = 0xb3a5;

    function setUp() public override {}

    function test_Gas_postSeed() external {
        start(5);
        vm.warp(startOf(1) + SEED_DELAY + 3);
        bytes memory point = LocalDrand.sign(beacon.roundFor(1));
        bytes memory data = abi.encodeCall(IBeacon.postSeed, (1, point));
        measureNow("seed", 180_000, client, address(beacon), data);
    }

    function test_Gas_openDealAmong65kDeals() external {
        start(5);
        DealTerms memory terms = termsOf(1, 1);
        terms.root = keccak256("any");
        terms.length = 3 << 30;
        bytes memory path = plantTree();
        // Nothing that the call writes is zero before, as in the life of a provider with that many deals.
        for (uint64 i = 0; i < 8; i++) {
            plantPast(i);
        }
        vm.warp(startOf(40));
        terms.openBefore = uint64(now_());
        bytes32 id = market.dealIdOf(terms);
        bytes memory clientSignature = signed(CLIENT_KEY, id);
        bytes memory operatorSignature = signed(OPERATOR_KEY, id);
        plantHeld();
        bytes memory data =
            abi.encodeCall(IDealMarket.openDeal, (terms, clientSignature, operatorSignature, SLOT, path));
        measure("open-deal-among-65k", 200_000, operator, address(market), data);
    }

    function test_Gas_provePeriodDirect5() external {
        start(5);
        proveBig("prove-direct-5-at-1-tib", 500_000);
    }

    function test_Gas_provePeriodDirect20() external {
        start(20);
        proveBig("prove-direct-20-at-1-tib", 1_750_000);
    }

    function test_Gas_settle() external {
        bytes32[] memory deals = tenDealsWithHistory();
        bytes memory data = abi.encodeCall(IDealMarket.settle, (deals[0]));
        measure("settle", 50_000, operator, address(market), data);
    }

    function test_Gas_settleTen() external {
        bytes32[] memory deals = tenDealsWithHistory();
        bytes memory data = abi.encodeCall(IDealMarket.settleMany, (deals));
        measure("settle-ten", 160_000, operator, address(market), data);
    }

    function test_Gas_endOfADeal() external {
        start(5);
        (DealTerms memory first, DealTerms memory second) = (termsOf(0, 4), termsOf(1, 4));
        open(first);
        open(second);
        (bytes memory firstPath, bytes memory secondPath) = (slots.path(0), slots.path(1));
        vm.warp(startOf(1));
        bytes memory data = abi.encodeCall(IDealMarket.declareFault, (first, firstPath));
        measure("declare-fault", 180_000, operator, address(market), data);
        data = abi.encodeCall(IDealMarket.terminateDeal, (second));
        measure("terminate-deal", 60_000, client, address(market), data);
        finalise(10);
        data = abi.encodeCall(IDealMarket.closeDeal, (second));
        measure("close-deal", 90_000, client, address(market), data);
        slots.clear(0);
        secondPath = slots.path(1);
        data = abi.encodeCall(IDealMarket.releaseSlot, (second, secondPath));
        measure("release-slot", 120_000, operator, address(market), data);
    }

    function test_Gas_registerAndUpdate() external {
        deployNetwork(5);
        fund(provider, MINIMUM_STAKE);
        bytes memory data = abi.encodeCall(IProviderRegistry.register, (settings(), MINIMUM_STAKE));
        measure("register-provider", 400_000, provider, address(registry), data);
        data = abi.encodeCall(IProviderRegistry.update, (settings()));
        measure("update-provider", 120_000, provider, address(registry), data);
    }

    function test_Gas_depositWithdraw() external {
        start(5);
        token.mint(client, 5e6);
        vm.prank(client);
        token.approve(address(vault), 5e6);
        bytes memory data = abi.encodeCall(IVault.deposit, (address(token), client, 5e6));
        measure("deposit", 80_000, client, address(vault), data);
        data = abi.encodeCall(IVault.withdraw, (address(token), 5e6, client));
        measure("withdraw", 80_000, client, address(vault), data);
    }

    function tenNonces() private pure returns (uint256[] memory nonces) {
        nonces = new uint256[](10);
        for (uint256 i = 0; i < 10; i++) {
            nonces[i] = i;
        }
    }

    /// @notice Ten deals of one provider, settled once; since then another period is final.
    function tenDealsWithHistory() private returns (bytes32[] memory deals) {
        start(5);
        deals = new bytes32[](10);
        for (uint256 i = 0; i < 10; i++) {
            deals[i] = open(termsOf(i, 2));
        }
        for (uint64 p = 1; p <= 3; p++) {
            prove(p, tenNonces());
        }
        finalise(1);
        market.settleMany(deals);
        prove(4, tenNonces());
        finalise(2);
    }

    function proveBig(string memory name, uint256 limit) private {
        DealTerms memory terms = termsOf(1, 1);
        terms.length = 1 << 40;
        terms.root = PayloadTree.uniformRoot(BIG, DEEP);
        bytes32 deal = open(terms);
        bytes memory tail = PayloadTree.uniformOpening(BIG, DEEP);
        bytes[] memory list = new bytes[](proofs.directChallenges());
        for (uint256 i = 0; i < list.length; i++) {
            list[i] = abi.encodePacked(deal, uint8(1), terms.root, uint64(1 << 30), uint32(0), tail);
        }
        seed(1);
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
        seed(2);
        bytes memory data = abi.encodeCall(IProofLedger.provePeriod, (provider, 2, list));
        measure(name, limit, operator, address(proofs), data);
    }

    /// @notice Writes a tree of depth 16 with an empty SLOT into the ledger's storage; returns the slot's path.
    function plantTree() private returns (bytes memory path) {
        bytes32 root;
        uint64 weight;
        for (uint256 level = 0; level < 16; level++) {
            bytes32 hash = keccak256(abi.encode("sibling", level));
            uint64 siblingWeight = uint64(uint256(hash) % (1 << (27 + level)));
            path = abi.encodePacked(path, hash, siblingWeight);
            if ((SLOT >> level) & 1 == 0) {
                root = ProviderTree.parentHash(root, weight, hash, siblingWeight);
            } else {
                root = ProviderTree.parentHash(hash, siblingWeight, root, weight);
            }
            weight += siblingWeight;
        }
        bytes32 place = keccak256(abi.encode(provider, uint256(0)));
        vm.store(address(proofs), place, root);
        uint256 packed = uint256(weight) | 16 << 64 | 65_536 << 72;
        vm.store(address(proofs), bytes32(uint256(place) + 1), bytes32(packed));
        (IProofLedger.Snapshot memory tree,) = proofs.treeOf(provider);
        vm.assertEq(tree.root, root, "planted root");
        vm.assertEq(tree.weight, weight, "planted weight");
        vm.assertEq(tree.depth, 16, "planted depth");
    }

    function plantPast(uint64 position) private {
        bytes32 ring = keccak256(abi.encode(provider, uint256(1)));
        bytes32 place = bytes32(uint256(ring) + 2 * position);
        vm.store(address(proofs), place, keccak256("past"));
        vm.store(address(proofs), bytes32(uint256(place) + 1), bytes32(uint256(1)));
    }

    function plantHeld() private {
        vm.assertEq(vault.heldOf(address(token)), 0, "nothing held yet");
        bytes32 place = keccak256(abi.encode(uint256(0), uint256(3)));
        vm.store(address(vault), place, bytes32(uint256(1e6)));
        vm.assertEq(vault.heldOf(address(token)), 1e6, "planted hold");
    }
}
