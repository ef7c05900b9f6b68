// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {AnswerCheck} from "../src/libraries/AnswerCheck.sol";
import {Challenge} from "../src/libraries/Challenge.sol";
import {Geometry} from "../src/libraries/Geometry.sol";
import {Pricing} from "../src/libraries/Pricing.sol";
import {ProviderTree} from "../src/libraries/ProviderTree.sol";
import {Schedule} from "../src/libraries/Schedule.sol";
import {Terms} from "../src/libraries/Terms.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {ScheduleParams} from "../src/types/ScheduleParams.sol";
import {VectorFile} from "./support/VectorFile.sol";

/// @notice The libraries against the vectors that packages/protocol is held to as well.
contract VectorsTest is VectorFile {
    function test_Vectors_commitments() external {
        uint256 count = open("commitments");
        for (uint256 i = 0; i < count; i++) {
            next();
            uint64 leaves = Geometry.leavesFor(number("length"));
            vm.assertEq(leaves, number("leaves"), "leaves");
            vm.assertEq(Geometry.depthFor(leaves), number("depth"), "depth");
        }
    }

    /// @notice A payload alone in a provider tree: the answer check then is the check of the leaf's path.
    function test_Vectors_leafProofs() external {
        uint256 count = open("leaf-proofs");
        uint256 refused;
        for (uint256 i = 0; i < count; i++) {
            next();
            bytes32 root = word("root");
            uint64 leaves = uint64(number("leaves"));
            bytes memory answer = abi.encodePacked(
                bytes32("deal"), uint8(1), root, leaves, uint32(0), data("leaf"), data("path")
            );
            bytes32 tree = ProviderTree.slotHash(bytes32("deal"), 1, root, leaves);
            if (!judge(answer, tree, 0, number("index"))) refused++;
        }
        vm.assertGe(refused, 50, "spoilt proofs were among them");
    }

    function test_Vectors_answers() external {
        uint256 count = open("answers");
        uint256 refused;
        for (uint256 i = 0; i < count; i++) {
            next();
            uint256 depth = number("treeDepth");
            if (!judge(data("answer"), word("treeRoot"), depth, number("position"))) refused++;
        }
        vm.assertGe(refused, 50, "spoilt answers were among them");
    }

    function test_Vectors_providerTrees() external {
        uint256 count = open("provider-trees");
        for (uint256 i = 0; i < count; i++) {
            next();
            uint64 leaves = uint64(number("leaves"));
            bytes32 hash =
                ProviderTree.slotHash(word("deal"), uint8(number("scheme")), word("payloadRoot"), leaves);
            vm.assertEq(hash, word("slotHash"), "slot hash");
            ProviderTree.Tree memory tree = ProviderTree.Tree(
                word("rootBefore"),
                uint64(number("weightBefore")),
                uint8(number("depthBefore")),
                uint40(number("slotsBefore")),
                0,
                0
            );
            bool filling = keccak256(bytes(text("op"))) == keccak256("fill");
            tree = this.replace(tree, filling, number("slot"), data("path"), hash, leaves);
            vm.assertEq(tree.root, word("root"), "root");
            vm.assertEq(tree.weight, number("weight"), "weight");
            vm.assertEq(tree.depth, number("depth"), "depth");
            vm.assertEq(tree.slotCount, number("slots"), "slots");
        }
    }

    function test_Vectors_emptyNodes() external {
        uint256 count = open("empty-nodes");
        for (uint256 i = 0; i < count; i++) {
            next();
            vm.assertEq(ProviderTree.emptyHash(number("level")), word("hash"), "empty node");
        }
    }

    function test_Vectors_challenges() external {
        uint256 count = open("challenges");
        for (uint256 i = 0; i < count; i++) {
            next();
            bytes32 base = Challenge.challengeBase(
                number("chainId"),
                account("proofs"),
                account("provider"),
                uint64(number("period")),
                word("seed")
            );
            vm.assertEq(base, word("base"), "base");
            uint64 weight = uint64(number("weight"));
            for (uint32 k = 0; k < 12; k++) {
                uint256 position = number(string.concat("positions[", vm.toString(k), "]"));
                vm.assertEq(Challenge.globalChallenge(base, k, weight), position, "position");
            }
            uint64 leaves = uint64(number("leaves"));
            for (uint32 k = 0; k < 5; k++) {
                uint256 index = number(string.concat("indices[", vm.toString(k), "]"));
                vm.assertEq(Challenge.dealChallenge(base, word("deal"), k, leaves), index, "index");
            }
        }
    }

    function test_Vectors_seeds() external {
        uint256 count = open("seeds");
        for (uint256 i = 0; i < count; i++) {
            next();
            bytes32 seed = Challenge.seedOf(
                number("chainId"), account("beacon"), uint64(number("round")), data("signature")
            );
            vm.assertEq(seed, word("seed"), "seed");
        }
    }

    function test_Vectors_dealTerms() external {
        uint256 count = open("deal-terms");
        for (uint256 i = 0; i < count; i++) {
            next();
            bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain(), Terms.structHash(dealTerms())));
            vm.assertEq(digest, word("digest"), "digest");
            bytes memory signature = data("signature");
            (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
            address signer = ecrecover(digest, uint8(signature[64]), r, s);
            vm.assertEq(signer, account("signer"), "signer");
        }
    }

    function test_Vectors_pricing() external {
        uint256 count = open("pricing");
        for (uint256 i = 0; i < count; i++) {
            next();
            uint256 rate =
                Pricing.rateFor(number("length"), number("pricePerTibMonth"), number("provingFeeMonth"));
            vm.assertEq(rate, number("rate"), "rate");
            uint64 period = uint64(number("period"));
            uint256 cost = Pricing.costOf(uint128(rate), period, uint32(number("periods")));
            vm.assertEq(cost, number("cost"), "cost");
            vm.assertEq(Pricing.feeOf(cost, number("feeBps")), number("fee"), "fee");
            vm.assertEq(Pricing.costOf(uint128(rate), period, 90), number("collateral"), "collateral");
        }
    }

    function test_Vectors_funding() external {
        uint256 count = open("funding");
        for (uint256 i = 0; i < count; i++) {
            next();
            uint256 funded = Pricing.fundedPeriods(
                uint128(number("deposit")), uint128(number("rate")), uint64(number("period"))
            );
            vm.assertEq(funded, number("funded"), "funded");
        }
    }

    function test_Vectors_accounting() external {
        uint256 count = open("accounting");
        for (uint256 i = 0; i < count; i++) {
            next();
            uint128 rate = uint128(number("rate"));
            uint64 period = uint64(number("period"));
            uint256 before = Pricing.costOf(rate, period, uint32(number("settled")));
            uint256 gross = Pricing.costOf(rate, period, uint32(number("proven")));
            uint256 bps = number("feeBps");
            uint256 fee = Pricing.feeOf(gross, bps) - Pricing.feeOf(before, bps);
            vm.assertEq(gross - before, number("paid"), "paid");
            vm.assertEq(fee, number("fee"), "fee");
            vm.assertEq(gross - before - fee, number("toProvider"), "to the provider");
            vm.assertEq(number("deposit") - gross, number("refund"), "refund");
        }
    }

    function test_Vectors_schedules() external {
        uint256 count = open("schedules");
        for (uint256 i = 0; i < count; i++) {
            next();
            ScheduleParams memory params = ScheduleParams(
                uint64(number("genesis")),
                uint64(number("period")),
                uint64(number("window")),
                uint64(number("seedDelay")),
                uint64(number("drandGenesis")),
                uint64(number("drandPeriod"))
            );
            uint64 index = Schedule.periodAt(params.genesis, params.period, number("at"));
            vm.assertEq(index, number("index"), "period");
            uint256 start = Schedule.periodStart(params.genesis, params.period, index);
            vm.assertEq(start, number("start"), "start");
            uint256 deadline = Schedule.periodDeadline(params.genesis, params.period, params.window, index);
            vm.assertEq(deadline, number("deadline"), "deadline");
            uint64 round = Schedule.roundFor(params, index);
            vm.assertEq(round, number("round"), "round");
            vm.assertEq(Schedule.roundTime(params, round), number("roundTime"), "time of the round");
        }
    }

    function check(bytes calldata answer, bytes32 root, uint256 depth, uint256 position) external view {
        AnswerCheck.verify(answer, root, depth, position);
    }

    function replace(
        ProviderTree.Tree memory tree,
        bool filling,
        uint256 slot,
        bytes calldata path,
        bytes32 hash,
        uint64 leaves
    ) external pure returns (ProviderTree.Tree memory) {
        if (filling) ProviderTree.fill(tree, slot, path, hash, leaves);
        else ProviderTree.free(tree, slot, path, hash, leaves);
        return tree;
    }

    /// @notice Whether the answer is accepted, which must be what the case says.
    function judge(bytes memory answer, bytes32 root, uint256 depth, uint256 position)
        private
        view
        returns (bool accepted)
    {
        try this.check(answer, root, depth, position) {
            accepted = true;
        } catch {}
        vm.assertTrue(accepted == vm.parseJsonBool(_case, ".valid"), _case);
    }

    function dealTerms() private view returns (DealTerms memory terms) {
        terms.client = account("client");
        terms.provider = account("provider");
        terms.token = account("token");
        terms.scheme = uint8(number("scheme"));
        terms.root = word("root");
        terms.length = uint64(number("length"));
        terms.dataset = word("dataset");
        terms.rate = uint128(number("rate"));
        terms.periods = uint32(number("periods"));
        terms.deposit = uint128(number("deposit"));
        terms.collateral = uint128(number("collateral"));
        terms.notice = uint32(number("notice"));
        terms.replacementCost = uint128(number("replacementCost"));
        terms.egressPrice = uint128(number("egressPrice"));
        terms.attributes = word("attributes");
        terms.takedown = word("takedown");
        terms.openBefore = uint64(number("openBefore"));
        terms.nonce = word("nonce");
    }
}
