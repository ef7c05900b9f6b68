// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {Bundle} from "../src/libraries/Bundle.sol";
import {Challenge} from "../src/libraries/Challenge.sol";
import {ProviderTree} from "../src/libraries/ProviderTree.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {RuleParams} from "../src/types/RuleParams.sol";
import {Measured} from "./support/Measured.sol";
import {PayloadTree} from "./support/PayloadTree.sol";

/// @notice What commit mode costs, and what a dispute and an audit cost, as Gas.t.sol does it.
/// forge-config: default.isolate = true
contract GasSettlementTest is Measured {
    bytes32 private constant BIG = keccak256("a payload of equal leaves");
    /// @dev The bound of postSeed, with and without the floor.
    uint256 private constant SEED = 180_000;

    /// @dev What a dispute is measured with: a deal in a tree, in a bundle, both of given depth.
    struct Shape {
        uint256 treeDepth;
        uint256 payloadDepth;
        uint64 count;
    }

    /// @dev The largest answers that can be asked for: a payload of 1 PiB in a tree of 2^32 slots.
    Shape private DEEPEST = Shape(32, 40, 465);

    /// @dev Weight of a planted neighbour, 0 for that of the planted deal. Small ones leave nearly every global challenge
    /// to it, so that audits can be answered; at the deepest nothing else would fit.
    uint256 private _others;

    function setUp() public override {}

    /// @notice Chance would make figures depend on seeds.
    function rulesWith(uint256 challenges) internal pure override returns (RuleParams memory) {
        return RuleParams(DISPUTE_TIME, ANSWER_TIME, type(uint32).max, uint8(challenges));
    }

    /// @notice One transaction per provider and period, and it costs the same for 1, 10, 100, 1,000 and 10,000 deals of
    /// 1 MiB (or a leaf each) to 128 TiB in all.
    function test_Gas_commitPeriodIsFlat() external {
        uint256[5] memory depths = [uint256(0), 4, 7, 10, 14];
        uint256 first;
        for (uint256 i = 0; i < 15; i++) {
            uint256 depth = depths[i / 3];
            uint256 whole = [uint256(10), 23, 37][i % 3];
            start(5);
            plant(Shape(depth, whole > depth ? whole - depth : 1, 465));
            steady(9);
            seed(10);
            bytes memory data = abi.encodeCall(IProofLedger.commitPeriod, (10, keccak256("bundle")));
            (uint256 gas,) = measure("commit-period", 40_000, operator, address(proofs), data);
            if (i == 0) first = gas;
            vm.assertEq(gas, first, "the same for every number of deals and every weight");
        }
    }

    /// @notice Nor does a settlement look at how many deals a provider has, or how much they weigh.
    function test_Gas_settleIsFlat() external {
        start(5);
        DealTerms memory terms = termsOf(1, 1);
        (terms.periods, terms.deposit) = (60, 60e6);
        bytes32 deal = open(terms);
        steady(9);
        finalise(4);
        market.settle(deal);
        finalise(9);
        uint256 before = vm.snapshotState();
        uint256 first;
        uint256[5] memory depths = [uint256(0), 4, 7, 10, 14];
        for (uint256 i = 0; i < 5; i++) {
            plant(Shape(depths[i], 37 - depths[i], 465));
            send(client, address(market), abi.encodeCall(IDealMarket.settle, (deal)));
            uint256 gas = vm.lastCallGas().gasTotalUsed;
            if (i == 0) first = gas;
            vm.assertEq(gas, first, "the same for every tree");
            vm.assertEq(market.getDeal(deal).proven, 9, "paid");
            vm.revertToState(before);
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
        audit(Shape(0, 30, 465), "audit-10-at-1-tib", 1_000_000);
    }

    /// @notice The largest audit a deployment can ask for, at the deepest tree, fits a transaction.
    function test_Gas_auditOf40AtTheDeepestFitsATransaction() external {
        start(40);
        _others = 2;
        audit(DEEPEST, "audit-40-at-the-deepest", TRANSACTION_GAS_MAX);
    }

    function test_Gas_direct40AtTheDeepestFitsATransaction() external {
        start(40);
        _others = 2;
        (, bytes memory head, bytes memory tail) = plant(DEEPEST);
        bytes[] memory list = new bytes[](40);
        for (uint256 i = 0; i < 40; i++) {
            list[i] = abi.encodePacked(head, tail);
        }
        seed(1);
        bytes memory data = abi.encodeCall(IProofLedger.provePeriod, (provider, 1, list));
        measure("prove-direct-40-at-the-deepest", TRANSACTION_GAS_MAX, operator, address(proofs), data);
    }

    /// @notice A bundle of 2^32 deals; a bond need not pay for this one, which nobody's provider has.
    function test_Gas_disputeAtTheDeepest() external {
        _others = 2;
        dispute("deepest", Shape(32, 40, 460 + (5 << 32)), TRANSACTION_GAS_MAX);
    }

    /// @notice The calls that look back over many periods: a termination and the end of what waited for seeds.
    function test_Gas_endings() external {
        start(5);
        open(termsOf(1, 1));
        Book memory book = commitFirst(1, 1);
        seed(2);
        put(2, rootOf(book));
        vm.warp(startOf(3));
        ask(2, 7);
        vm.warp(startOf(40));
        bytes memory data = abi.encodeCall(IDisputes.slashTimeout, (provider, 2, globalQuestion(7), none()));
        measure("expire-dispute", 250_000, client, address(disputes), data);
        seed(41);
        put(41, rootOf(book));
        vm.warp(startOf(71));
        data = abi.encodeCall(IDisputes.slashAudit, (provider, 41));
        measure("expire-audit", 200_000, client, address(disputes), data);
        uint64[] memory missed = new uint64[](14);
        for (uint64 i = 0; i < 14; i++) {
            missed[i] = 72 + i;
            seed(72 + i);
        }
        vm.warp(startOf(87));
        data = abi.encodeCall(IProofLedger.terminateProvider, (provider, missed));
        measure("terminate-provider", 400_000, client, address(proofs), data);
    }

    /// @notice The bound of protocol section 10: proving and paying for 100 TiB in 100 deals, per TiB and month of 30
    /// periods, settled weekly. What a provider of that size causes on the whole network:
    ///   30 commitments + 30/7 settlements of 100 deals + 30/30 audits + its share of 30 seeds
    /// A seed serves everybody; the share is that of one provider in a hundred.
    function test_Gas_perTiBMonth() external {
        start(10);
        _others = 1 << 16;
        (uint256 gas, uint256 without) = audit(Shape(7, 30, 960), "audit-10-at-100-tib", 1_200_000);
        // Weights of 99 deals of that size have up to two bytes more in each of 7 siblings of 10 answers.
        gas += 10 * 7 * 2 * 30;
        without += 10 * 7 * 2 * 12;
        bytes32[] memory deals = aWeekOf100Deals();
        bytes memory data = abi.encodeCall(IDealMarket.settleMany, (deals));
        (uint256 week, uint256 weekWithout) =
            measure("settle-hundred", 1_250_000, operator, address(market), data);
        vm.assertEq(market.getDeal(deals[99]).proven, 9, "a week was paid");
        seed(12);
        send(operator, address(proofs), abi.encodeCall(proofs.commitPeriod, (12, keccak256("bundle"))));
        uint256 rest = 30 * uint256(vm.lastCallGas().gasTotalUsed) + 30 * SEED / 100;
        gas = (gas + week * 30 / 7 + rest) / 100;
        without = (without + weekWithout * 30 / 7 + rest) / 100;
        vm.snapshotValue("gas", "month-of-100-tib-per-tib", gas);
        vm.snapshotValue("gas-without-floor", "month-of-100-tib-per-tib", without);
        vm.assertLe(gas, 75_000, "per TiB and month");
    }

    /// @dev A commitment does not see the tree, and a settlement neither.
    /// @notice A hundred deals that were settled once, and a week that is final since.
    function aWeekOf100Deals() private returns (bytes32[] memory deals) {
        start(5);
        deals = new bytes32[](100);
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

    function audit(Shape memory shape, string memory name, uint256 limit)
        private
        returns (uint256 gas, uint256 without)
    {
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
        bytes memory data = abi.encodeCall(IProofLedger.answerAudit, (provider, auditOf(book)));
        return measure(name, limit, operator, address(proofs), data);
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
            uint256 most = (_others == 0 ? uint256(leaves) : _others) << level;
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
