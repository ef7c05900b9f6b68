// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {Bundle} from "../src/libraries/Bundle.sol";
import {Challenge} from "../src/libraries/Challenge.sol";
import {ProviderTree} from "../src/libraries/ProviderTree.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {RuleParams} from "../src/types/RuleParams.sol";
import {Bundles} from "./support/Bundles.sol";
import {PayloadTree} from "./support/PayloadTree.sol";

/// @notice What commit mode costs, and what a dispute and an audit cost, as Gas.t.sol does it. Every call is measured
/// twice: as it is charged (EIP-7623, which since Prague asks at least 10 gas per zero byte and 40 per other byte of
/// calldata), and under the rules before, in snapshots/gas-without-floor.json.
/// forge-config: default.isolate = true
contract GasSettlementTest is Bundles {
    bytes32 private constant BIG = keccak256("a payload of equal leaves");
    uint256 private constant TRANSACTION_GAS_MAX = 1 << 24;
    /// @dev audit-10-at-1-tib and 10 x (7 x 40 + 32) bytes more at 40 gas; test_Gas_auditOf10At1TiB compares.
    uint256 private constant AUDIT_OF_TEN = 967_800 + 10 * (7 * 40 + 32) * 40;
    /// @dev The bound of postSeed.
    uint256 private constant SEED = 180_000;

    /// @dev What a dispute is measured with: a deal in a tree, in a bundle, both of given depth.
    struct Shape {
        uint256 treeDepth;
        uint256 payloadDepth;
        uint64 count;
    }

    function setUp() public override {}

    /// @notice Chance would make figures depend on seeds.
    function rulesWith(uint256 challenges) internal pure override returns (RuleParams memory) {
        return RuleParams(DISPUTE_TIME, ANSWER_TIME, type(uint32).max, uint8(challenges));
    }

    /// @notice One transaction per provider and period, and it costs the same for 1 deal and for 10,000.
    function test_Gas_commitPeriod() external {
        uint256[5] memory depths = [uint256(0), 4, 7, 10, 14];
        uint256 first;
        for (uint256 i = 0; i < depths.length; i++) {
            start(5);
            plant(Shape(depths[i], 20, 465));
            steady(9);
            seed(10);
            measure(
                "commit-period",
                40_000,
                operator,
                address(proofs),
                abi.encodeCall(IProofLedger.commitPeriod, (10, keccak256("bundle")))
            );
            uint256 gas = vm.lastCallGas().gasTotalUsed;
            if (i == 0) first = gas;
            vm.assertEq(gas, first, "the same for every number of deals");
        }
    }

    function test_Gas_disputeOfTheOnlyDealAt1TiB() external {
        dispute("only-deal-of-1-tib", Shape(0, 30, 465), 130_000);
    }

    function test_Gas_disputeOfTheOnlyDealAt128TiB() external {
        dispute("only-deal-of-128-tib", Shape(0, 37, 465), 145_000);
    }

    /// @notice 10,000 deals of 128 MiB.
    function test_Gas_disputeAmong10kDealsOf1TiBInAll() external {
        dispute("10k-deals-of-1-tib", Shape(14, 17, 50_460), 130_000);
    }

    /// @notice 10,000 deals of 16 GiB.
    function test_Gas_disputeAmong10kDealsOf128TiBInAll() external {
        dispute("10k-deals-of-128-tib", Shape(14, 24, 50_460), 145_000);
    }

    /// @notice The worst that fits: no deal is larger than 1 PiB. The bond pays for it by a round margin.
    function test_Gas_disputeOfADealOf1TiBAmong10k() external {
        dispute("deal-of-1-tib-among-10k", Shape(14, 30, 50_460), 150_000);
    }

    function test_Gas_auditOf10At1TiB() external {
        start(10);
        audit(Shape(0, 30, 465), "audit-10-at-1-tib", AUDIT_OF_TEN - 10 * (7 * 40 + 32) * 40);
    }

    /// @notice The largest audit a deployment can ask for, at the deepest tree, fits a transaction.
    function test_Gas_auditOf40AtTheDeepestFitsATransaction() external {
        start(40);
        audit(Shape(0, 40, 465), "audit-40-at-1-pib", TRANSACTION_GAS_MAX);
    }

    /// @notice The bound of protocol section 10: proving and paying for 100 TiB in 100 deals, per TiB and month of 30
    /// periods, settled weekly. What a provider of that size causes on the whole network:
    ///   30 commitments + 30/7 settlements of 100 deals + 30/30 audits + its share of 30 seeds
    /// An audit of 10 answers is that of one deal of 1 TiB with 7 levels of provider tree and one of bundle more, all of
    /// it bytes at the floor. A seed serves everybody; the share is that of one provider in a hundred.
    function test_Gas_perTiBMonth() external {
        start(5);
        bytes32[] memory deals = new bytes32[](100);
        for (uint256 i = 0; i < 100; i++) {
            DealTerms memory terms = termsOf(i, 1);
            (terms.periods, terms.deposit) = (60, 60e6);
            deals[i] = open(terms);
        }
        steady(4);
        finalise(2);
        market.settleMany(deals);
        for (uint64 p = 5; p <= 11; p++) {
            seed(p);
            put(p, keccak256(abi.encode(p)));
        }
        finalise(9);
        bytes memory settle = abi.encodeCall(market.settleMany, (deals));
        measure("settle-hundred", 1_250_000, operator, address(market), settle);
        uint256 week = vm.lastCallGas().gasTotalUsed;
        vm.assertEq(market.getDeal(deals[99]).proven, 9, "a week was paid");
        seed(12);
        bytes memory commitment = abi.encodeCall(proofs.commitPeriod, (12, keccak256("bundle")));
        send(operator, address(proofs), commitment);
        uint256 period = vm.lastCallGas().gasTotalUsed;
        uint256 month = 30 * period + week * 30 / 7 + AUDIT_OF_TEN + 30 * SEED / 100;
        vm.snapshotValue("gas", "month-of-100-tib-per-tib", month / 100);
        vm.assertLe(month / 100, 75_000, "per TiB and month");
    }

    function start(uint256 challenges) private {
        deployNetwork(challenges);
        registerProvider();
        fund(client, 1_000_000e6);
        fund(provider, 1_000_000e6);
    }

    /// @notice Sends a call by itself, once without the floor and once as it is charged.
    function measure(string memory name, uint256 limit, address from, address to, bytes memory data) private {
        uint256 before = vm.snapshotState();
        vm.setEvmVersion("cancun");
        send(from, to, data);
        uint256 without = vm.snapshotGasLastCall("gas-without-floor", name);
        vm.setEvmVersion("prague");
        vm.revertToState(before);
        send(from, to, data);
        uint256 gas = vm.snapshotGasLastCall("gas", name);
        vm.assertLe(gas, limit, name);
        vm.assertLe(without, gas, "the floor only adds");
        vm.assertTrue(gas == without || gas == floorOf(data), "either execution or bytes are paid");
        vm.assertLe(gas, TRANSACTION_GAS_MAX, "EIP-7825");
    }

    function send(address from, address to, bytes memory data) private {
        vm.prank(from);
        (bool success, bytes memory result) = to.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    /// @notice The least that a transaction with these bytes costs since Prague.
    function floorOf(bytes memory data) private pure returns (uint256 gas) {
        gas = 21_000;
        for (uint256 i = 0; i < data.length; i++) {
            gas += data[i] == 0 ? 10 : 40;
        }
    }

    /// @notice A provider that has committed for long: nothing that a commitment writes is zero before.
    function steady(uint64 periods) private {
        for (uint64 p = 1; p <= periods; p++) {
            seed(p);
            put(p, keccak256(abi.encode(p)));
            if (p == 1) markAudited();
        }
    }

    /// @notice As if the first period's audit had been answered.
    function markAudited() private {
        bytes32 place = keccak256(abi.encode(provider, uint256(2)));
        bytes32 word = vm.load(address(proofs), place);
        vm.store(address(proofs), place, word | bytes32(uint256(1) << 217));
        vm.assertTrue(!standing().auditOwed, "planted");
    }

    /// @notice Opens and answers a dispute about leaf challenge 3 of the planted deal.
    function dispute(string memory name, Shape memory shape, uint256 limit) private {
        start(5);
        (bytes32 deal, bytes memory head, bytes memory tail) = plant(shape);
        seed(1);
        Bundle.Question memory question = dealQuestion(deal, 3);
        uint64 index = shape.count - 2;
        (bytes memory path, bytes32 root) = bundle(shape, question, index, abi.encodePacked(head, tail));
        put(1, root);
        measure(
            string.concat("open-dispute-", name),
            250_000,
            client,
            address(disputes),
            abi.encodeCall(IDisputes.openDispute, (provider, 1, question, head))
        );
        bytes memory opening = abi.encodePacked(index, shape.count, path, head, tail);
        measure(
            string.concat("answer-dispute-", name),
            limit,
            operator,
            address(disputes),
            abi.encodeCall(IDisputes.answerDispute, (placeOf(1, question), opening))
        );
    }

    function audit(Shape memory shape, string memory name, uint256 limit) private {
        (, bytes memory head, bytes memory tail) = plant(shape);
        seed(1);
        uint256 count = proofs.directChallenges();
        bytes memory answer_ = abi.encodePacked(head, tail);
        Book memory book;
        book.base = Challenge.challengeBase(block.chainid, address(proofs), provider, 1, beacon.seedOf(1));
        book.entries = new bytes32[](shape.count);
        book.answers = new bytes[](shape.count);
        for (uint32 i = 0; i < count; i++) {
            book.answers[i] = answer_;
            enter(book, globalQuestion(i), i);
        }
        put(1, rootOf(book));
        measure(
            name,
            limit,
            operator,
            address(proofs),
            abi.encodeCall(IProofLedger.answerAudit, (provider, auditOf(book)))
        );
    }

    /// @notice A bundle root over one entry and arbitrary siblings.
    function bundle(Shape memory shape, Bundle.Question memory question, uint64 index, bytes memory answer_)
        private
        view
        returns (bytes memory path, bytes32 root)
    {
        bytes32 hash = Bundle.entryHash(question, index, keccak256(answer_));
        for (uint256 level = 0; level < PayloadTree.depth(shape.count); level++) {
            bytes32 sibling = keccak256(abi.encode("entry", level));
            path = abi.encodePacked(path, sibling);
            hash = (index >> level) & 1 == 0
                ? keccak256(abi.encode(hash, sibling))
                : keccak256(abi.encode(sibling, hash));
        }
        bytes32 base = Challenge.challengeBase(block.chainid, address(proofs), provider, 1, beacon.seedOf(1));
        root = Bundle.rootOf(base, shape.count, hash);
    }

    /// @notice Writes a tree into the ledger's storage whose other deals weigh about as much as the one given each.
    /// @return deal Its id.
    /// @return head The head of its answers.
    /// @return tail Their leaf and path.
    function plant(Shape memory shape) private returns (bytes32 deal, bytes memory head, bytes memory tail) {
        deal = keccak256("deal");
        uint64 leaves = uint64(1 << shape.payloadDepth);
        uint32 slot = uint32(uint256(0x2a5a) & ((1 << shape.treeDepth) - 1));
        bytes32 payload = PayloadTree.uniformRoot(BIG, shape.payloadDepth);
        head = abi.encodePacked(deal, uint8(1), payload, leaves, slot);
        tail = PayloadTree.uniformOpening(BIG, shape.payloadDepth);
        bytes32 root = ProviderTree.slotHash(deal, 1, payload, leaves);
        uint64 weight = leaves;
        for (uint256 level = 0; level < shape.treeDepth; level++) {
            bytes32 hash = keccak256(abi.encode("sibling", level));
            uint256 most = uint256(leaves) << level;
            uint64 siblingWeight = uint64(most - uint256(hash) % (most / 2));
            head = abi.encodePacked(head, hash, siblingWeight);
            root = (slot >> level) & 1 == 0
                ? ProviderTree.parentHash(root, weight, hash, siblingWeight)
                : ProviderTree.parentHash(hash, siblingWeight, root, weight);
            weight += siblingWeight;
        }
        bytes32 place = keccak256(abi.encode(provider, uint256(0)));
        vm.store(address(proofs), place, root);
        uint256 packed = uint256(weight) | shape.treeDepth << 64 | (1 << shape.treeDepth) << 72;
        vm.store(address(proofs), bytes32(uint256(place) + 1), bytes32(packed));
        (IProofLedger.Snapshot memory tree,) = proofs.treeOf(provider);
        vm.assertEq(tree.root, root, "planted root");
        vm.assertEq(tree.weight, weight, "planted weight");
    }
}
