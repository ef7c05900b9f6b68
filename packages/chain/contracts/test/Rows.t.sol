// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "../src/interfaces/IBeacon.sol";
import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {Bls} from "../src/libraries/Bls.sol";
import {Bundle} from "../src/libraries/Bundle.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Bundles} from "./support/Bundles.sol";
import {Creator} from "./support/Creator.sol";
import {LocalDrand} from "./support/LocalDrand.sol";
import {OddToken} from "./support/OddToken.sol";
import {PayloadTree} from "./support/PayloadTree.sol";
import {Wallet} from "./support/Wallet.sol";

/// @notice One test for each bug or attack on record in other networks (docs/attacks.md has the table), by its row.
contract RowsTest is Bundles {
    /// @notice An inner node, or the root, shown as a leaf: every level of a tree of 8 leaves is tried, in direct mode.
    function test_Row01_innerNodesAreNoLeaves() external {
        DealTerms memory terms = termsOf(1, 8);
        bytes32 deal = open(terms);
        seed(1);
        bytes[] memory list = answers(1, only(1));
        bytes memory head = abi.encodePacked(deal, uint8(1), terms.root, uint64(8), uint32(0));
        for (uint256 level = 1; level <= 3; level++) {
            // The two children of a node of this level, padded to a leaf, with the shorter path that leads on.
            bytes memory fake = abi.encodePacked(
                PayloadTree.node(bytes32(uint256(1)), 8, level - 1, 0),
                PayloadTree.node(bytes32(uint256(1)), 8, level - 1, 1),
                new bytes(960)
            );
            bytes memory path;
            for (uint256 above = level; above < 3; above++) {
                path = abi.encodePacked(path, PayloadTree.node(bytes32(uint256(1)), 8, above, 1));
            }
            list[0] = abi.encodePacked(head, fake, path);
            refuseDirect(list);
            list[0] = abi.encodePacked(head, fake, path, new bytes(32 * level));
            refuseDirect(list);
        }
    }

    /// @notice Nothing that a caller chooses enters the seed: whoever posts, however dear, the seed is the same.
    function test_Row02_nobodyChoosesTheSeed() external {
        vm.warp(startOf(1) + SEED_DELAY + 3);
        bytes memory point = LocalDrand.sign(beacon.roundFor(1));
        uint256 before = vm.snapshotState();
        beacon.postSeed(1, point);
        bytes32 first = beacon.seedOf(1);
        vm.revertToState(before);
        vm.warp(startOf(1) + WINDOW - 1);
        vm.prank(operator);
        beacon.postSeed(1, point);
        vm.assertEq(beacon.seedOf(1), first, "the same");
        point = LocalDrand.sign(beacon.roundFor(2));
        seedFails(3, point);
    }

    /// @notice Deals that come or go after the seed is known do not move the challenges of the period.
    function test_Row03_changesAfterTheSeedMoveNothing() external {
        DealTerms memory terms = termsOf(1, 8);
        open(terms);
        seed(1);
        Book memory book = bookOf(1, only(1));
        open(termsOf(2, 40));
        fault(terms);
        put(1, rootOf(book));
        proofs.answerAudit(provider, auditOf(book));
        vm.assertTrue(!standing().auditOwed, "answered from the tree at the start");
    }

    /// @notice A period is proven inside its own window, in either mode, and never chosen freely.
    function test_Row04_windowsAreFixed() external {
        open(termsOf(1, 8));
        Book memory book = commitFirst(1, 1);
        seed(2);
        vm.expectPartialRevert(IProofLedger.ProofsWindowClosed.selector);
        put(1, rootOf(book));
        vm.expectPartialRevert(IProofLedger.ProofsPeriodNotStarted.selector);
        put(3, rootOf(book));
        vm.warp(startOf(2) + WINDOW);
        vm.expectPartialRevert(IProofLedger.ProofsWindowClosed.selector);
        put(2, rootOf(book));
    }

    /// @notice Without the precompiles there is no network, not one with guessable seeds.
    /// forge-config: default.evm_version = "cancun"
    function test_Row05_noPrecompilesNoDeployment() external {
        Creator creator = new Creator();
        bytes memory code = abi.encodePacked(
            vm.getCode("DrandBeacon.sol"), abi.encode(schedule(), Bls.G2_GENERATOR_NEGATED, address(1))
        );
        vm.expectRevert(abi.encodeWithSelector(Bls.BlsPrecompileFailed.selector, Bls.PAIRING));
        creator.create(code);
    }

    /// @notice Removals are single calls of bounded cost, and proving does not wait for them: with twenty ended deals
    /// still in the tree a period is committed, and each leaves on its own.
    function test_Row06_removalsNeverBlockProving() external {
        for (uint256 i = 1; i <= 20; i++) {
            open(termsOf(i, 1));
        }
        vm.warp(startOf(12));
        seed(12);
        put(12, keccak256("bundle"));
        for (uint256 i = 1; i <= 20; i++) {
            uint256 gas = gasleft();
            releaseSlotOf(i);
            vm.assertLe(
                gas - gasleft(), 3_000_000, "one slot at a time, of which the test's own tree is most"
            );
        }
    }

    /// @notice After 1,500 periods and as many changes of what was proven, a settlement costs what the first did.
    function test_Row07_settlementIsConstantInHistory() external {
        DealTerms memory terms = termsOf(1, 1);
        (terms.periods, terms.deposit) = (5000, 5000e6);
        bytes32 deal = open(terms);
        prove(1, 1);
        prove(2, 1);
        finalise(1);
        market.settle(deal);
        finalise(2);
        uint256 gas = gasleft();
        market.settle(deal);
        uint256 early = gas - gasleft();
        for (uint64 p = 10; p < 1500; p += 11) {
            prove(p, 1);
        }
        finalise(1499);
        market.settle(deal);
        prove(1510, 1);
        finalise(1510);
        gas = gasleft();
        market.settle(deal);
        vm.assertLe(gas - gasleft(), early + 2_000, "no more than at first");
    }

    /// @notice What a deal locks is derived from its state: after any end nothing of it stays locked.
    function test_Row08_nothingStaysLocked() external {
        DealTerms memory terms = termsOf(1, 1);
        open(terms);
        DealTerms memory other = termsOf(2, 1);
        open(other);
        vm.prank(client);
        market.topUp(other, 0);
        prove(1, two(1, 2));
        vm.prank(client);
        market.terminateDeal(terms);
        finalise(4);
        market.closeDeal(terms);
        finalise(10);
        market.closeDeal(other);
        uint256 owed = market.earnedOf(0, provider) + vault.feesAvailable(address(token));
        vm.assertEq(vault.heldOf(address(token)), owed, "held is what is owed");
    }

    /// @notice No party's code runs on an exit: client, provider and opener may be contracts that always revert.
    function test_Row09_noPartyCanTrapMoney() external {
        Wallet wallet = new Wallet(client);
        fund(address(wallet), 20e6);
        DealTerms memory terms = termsOf(1, 1);
        terms.client = address(wallet);
        open(terms);
        commitFirst(1, 1);
        vm.prank(address(wallet));
        disputes.openDispute(provider, 1, globalQuestion(7), "");
        vm.etch(address(wallet), hex"fe");
        vm.etch(provider, hex"fe");
        vm.etch(operator, hex"fe");
        seed(2);
        vm.warp(startOf(3));
        disputes.slashTimeout(provider, 1, globalQuestion(7), usable(2));
        finalise(10);
        market.closeDeal(terms);
        vm.assertEq(vault.balanceOf(address(token), address(wallet)), 20e6 + SLASH / 2, "all of it");
    }

    /// @notice Settling always succeeds: before the start, in an open period, under a dispute, with an audit owed.
    function test_Row10_settlingNeverReverts() external {
        bytes32 deal = open(termsOf(1, 5));
        market.settle(deal);
        commit(1, 1);
        market.settle(deal);
        finalise(1);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).settledThrough, 1, "an audit is owed");
        seed(4);
        vm.warp(startOf(5));
        disputes.slashAudit(provider, 4);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).paid, 0, "zero is a result");
    }

    /// @notice Proving touches no money: with every balance at zero a period is committed and audited.
    function test_Row11_provingNeedsNoMoney() external {
        open(termsOf(1, 5));
        uint256 all = vault.balanceOf(address(token), provider);
        vm.prank(provider);
        vault.withdraw(address(token), all, provider);
        uint256 held = token.balanceOf(address(vault));
        commitFirst(1, 1);
        vm.assertEq(token.balanceOf(address(vault)), held, "nothing moved");
    }

    /// @notice Every unit that comes in goes out: after a fault, a dispute and a close all parties empty the vault.
    function test_Row12_tokensInAreTokensOut() external {
        DealTerms memory terms = termsOf(1, 5);
        open(terms);
        commitFirst(1, 1);
        ask(1, 7);
        seed(2);
        vm.warp(startOf(3));
        disputes.slashTimeout(provider, 1, globalQuestion(7), usable(2));
        fault(terms);
        vm.prank(client);
        market.terminateDeal(terms);
        finalise(4);
        market.closeDeal(terms);
        vm.prank(provider);
        registry.withdrawStake(MINIMUM_STAKE - SLASH);
        empty(client);
        empty(provider);
        uint256 fees = vault.feesAvailable(address(token));
        vm.prank(feeAccount);
        vault.withdrawFees(address(token), fees, feeAccount);
        vm.assertEq(token.balanceOf(address(vault)), 0, "nothing stays");
    }

    /// @notice A permit credits its signer, whoever sends it.
    function test_Row13_aPermitServesItsSigner() external {
        address holder = vm.addr(0x4014);
        token.mint(holder, 5e6);
        uint256 deadline = now_() + 10;
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 hash =
            keccak256(abi.encode(typeHash, holder, address(vault), 5e6, token.nonces(holder), deadline));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(0x4014, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), hash)));
        vm.prank(operator);
        vault.depositWithPermit(address(token), holder, 5e6, deadline, v, r, s);
        vm.assertEq(vault.balanceOf(address(token), holder), 5e6, "the signer's");
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultPermitRefused.selector, holder));
        vm.prank(operator);
        vault.depositWithPermit(address(token), holder, 5e6, deadline, v, r, s);
    }

    /// @notice What arrives is credited, and only tokens of the list are taken.
    function test_Row14_depositsCountWhatArrives() external {
        OddToken coin = new OddToken();
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTokenUnknown.selector, address(coin)));
        vault.deposit(address(coin), client, 1);
    }

    /// @notice The fee is taken on every path: settled in parts, settled by the close, ended by notice.
    function test_Row15_everyPathPaysTheFee() external {
        DealTerms memory a = termsOf(1, 1);
        DealTerms memory b = termsOf(2, 1);
        bytes32 deal = open(a);
        open(b);
        prove(1, two(1, 2));
        prove(2, two(1, 2));
        vm.prank(client);
        market.terminateDeal(a);
        finalise(1);
        market.settle(deal);
        finalise(10);
        market.closeDeal(a);
        market.closeDeal(b);
        vm.assertEq(vault.feesCollected(address(token)), 0.2e6, "5 % of four periods");
    }

    /// @notice Money leaves by a pull that may not be entered again.
    function test_Row16_withdrawalsArePullsAndGuarded() external {
        uint256 all = vault.balanceOf(address(token), client);
        vm.startPrank(client);
        vault.withdraw(address(token), all, client);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultBalanceTooLow.selector, client, 1, 0));
        vault.withdraw(address(token), 1, client);
        vm.stopPrank();
    }

    /// @notice Naming a thing twice counts it once: a deal in a batch, a miss, a question, a usable period.
    function test_Row17_duplicatesCountOnce() external {
        bytes32 deal = open(termsOf(1, 5));
        commitFirst(1, 1);
        ask(1, 7);
        vm.expectPartialRevert(IDisputes.DisputesExists.selector);
        ask(1, 7);
        seed(2);
        vm.warp(startOf(2) + WINDOW);
        proofs.reportMissed(provider, 2);
        vm.expectPartialRevert(IProofLedger.ProofsMissRecorded.selector);
        proofs.reportMissed(provider, 2);
        vm.warp(startOf(3));
        disputes.slashTimeout(provider, 1, globalQuestion(7), usable(2));
        prove(3, 1);
        finalise(3);
        bytes32[] memory twice = new bytes32[](2);
        (twice[0], twice[1]) = (deal, deal);
        market.settleMany(twice);
        vm.assertEq(market.getDeal(deal).paid, 1e6, "once");
    }

    /// @notice Rates and challenges follow the true length that both signed, not a padded one.
    function test_Row18_theSignedLengthCounts() external {
        DealTerms memory terms = termsOf(1, 5);
        terms.length = 4 * 1024 + 1;
        open(terms);
        (IProofLedger.Snapshot memory tree,) = proofs.treeOf(provider);
        vm.assertEq(tree.weight, 5, "five leaves weigh five, not eight");
    }

    /// @notice Half-open periods everywhere: of the opening none, the first and the last counted, the end not.
    function test_Row19_periodsAreHalfOpen() external {
        DealTerms memory terms = termsOf(1, 5);
        terms.periods = 2;
        bytes32 deal = open(terms);
        for (uint64 p = 1; p <= 3; p++) {
            prove(p, 1);
        }
        finalise(3);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).paid, 2e6, "1 and 2, not 0 and not 3");
        vm.assertTrue(
            proofs.provenBetween(provider, 1, 3) == 2 && proofs.provenBetween(provider, 3, 3) == 0, "ranges"
        );
    }

    /// @notice Closing settles first; a deal that both sides abandoned is closed by anybody.
    function test_Row20_closingSettlesAndNeedsNoParty() external {
        DealTerms memory terms = termsOf(1, 5);
        bytes32 deal = open(terms);
        prove(1, 1);
        finalise(10);
        vm.prank(vm.addr(0x7777));
        market.closeDeal(terms);
        vm.assertEq(market.getDeal(deal).paid, 1e6, "what was proven is paid");
    }

    /// @notice Terms name their provider: moving to another one is a new deal with both new signatures.
    function test_Row21_aProviderChangesOnlyByBothSignatures() external {
        DealTerms memory terms = termsOf(1, 5);
        bytes32 id = market.dealIdOf(terms);
        bytes memory a = signed(CLIENT_KEY, id);
        bytes memory b = signed(OPERATOR_KEY, id);
        fund(feeAccount, MINIMUM_STAKE);
        vm.prank(feeAccount);
        registry.register(settingsFor(vm.addr(0x9e9)), MINIMUM_STAKE);
        terms.provider = feeAccount;
        vm.expectPartialRevert(IDealMarket.MarketOperatorSignatureInvalid.selector);
        market.openDeal(terms, a, b, 0, "");
    }

    /// @notice Nobody upgrades and nobody administers: the code has no owner, no delegate call, no way to die.
    function test_Row22_nobodyCanChangeTheCode() external {
        address[6] memory all = [
            address(beacon),
            address(vault),
            address(registry),
            address(proofs),
            address(disputes),
            address(market)
        ];
        string[3] memory doors = ["owner()", "upgradeTo(address)", "transferOwnership(address)"];
        for (uint256 i = 0; i < 6; i++) {
            for (uint256 j = 0; j < 3; j++) {
                (bool success,) = all[i].call(abi.encodeWithSignature(doors[j], address(this)));
                vm.assertTrue(!success, "no such door");
            }
            vm.assertTrue(!hasForbidden(all[i].code), "no delegatecall, callcode or selfdestruct");
        }
    }

    /// @notice Provider, ledger and chain are in every preimage: another provider's bundle answers nothing here.
    function test_Row23_bundlesAreBoundToTheirProvider() external {
        open(termsOf(1, 5));
        seed(1);
        Book memory book = bookOf(1, only(1));
        book.base = keccak256("another provider's base");
        put(1, rootOf(book));
        bytes[] memory openings = auditOf(book);
        vm.expectPartialRevert(Bundle.BundleMismatch.selector);
        proofs.answerAudit(provider, openings);
    }

    /// @notice One transaction per provider and period, whatever it stores. Fees and replacement are the sender's
    /// part: packages/chain/test/evm (transactor) and docs/adr/0030-transactions.md.
    function test_Row24_oneTransactionProvesEveryDeal() external {
        uint256[] memory nonces = new uint256[](12);
        bytes32[] memory deals = new bytes32[](12);
        for (uint256 i = 0; i < 12; i++) {
            nonces[i] = i + 1;
            deals[i] = open(termsOf(i + 1, 1));
        }
        Book memory book = commit(1, nonces);
        proofs.answerAudit(provider, auditOf(book));
        finalise(1);
        market.settleMany(deals);
        for (uint256 i = 0; i < 12; i++) {
            vm.assertEq(market.getDeal(deals[i]).paid, 1e6, "every deal by one commitment");
        }
    }

    /// @notice Missing now and then is unpaid and not punished: two periods of thirty cost nothing more. The health
    /// of a prover is its operator's part: holdfast-provider's alarms and duties.
    function test_Row25_aFragileProviderHasGrace() external {
        DealTerms memory terms = termsOf(1, 5);
        open(terms);
        for (uint64 p = 1; p <= 2; p++) {
            seed(p);
            vm.warp(startOf(p) + WINDOW);
            proofs.reportMissed(provider, p);
        }
        finalise(10);
        market.closeDeal(terms);
        vm.assertEq(vault.balanceOf(address(token), provider), 1_000_000e6, "all collateral is back");
    }

    /// @notice Two deals of one root are two slots, each asked its own questions, and each is paid by its own answers.
    /// One copy can answer both: no possession proof shows otherwise (docs/spec, protocol 9); private replicas are
    /// encrypted under their own keys by the client, so that their roots differ.
    function test_Row26_equalRootsAreAskedApart() external {
        DealTerms memory terms = termsOf(1, 5);
        open(terms);
        DealTerms memory same = termsOf(2, 5);
        same.root = terms.root;
        open(same);
        seed(1);
        Book memory book = bookOf(1, two(1, 1));
        vm.assertTrue(
            keccak256(book.answers[460]) != keccak256(book.answers[465]), "different heads, different entries"
        );
        vm.expectPartialRevert(IDealMarket.MarketDealExists.selector);
        this.openAgain(terms);
    }

    function openAgain(DealTerms memory terms) external {
        open(terms);
    }

    function releaseSlotOf(uint256 nonce) private {
        DealTerms memory terms = termsOf(nonce, 1);
        terms.openBefore = uint64(GENESIS + 10);
        releaseSlot(terms);
    }

    function empty(address owner) private {
        uint256 all = vault.balanceOf(address(token), owner);
        vm.prank(owner);
        vault.withdraw(address(token), all, owner);
    }

    function refuseDirect(bytes[] memory list) private {
        vm.expectRevert();
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
    }

    function seedFails(uint64 of_, bytes memory point) private {
        vm.warp(startOf(of_) + SEED_DELAY + 3);
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconSignatureInvalid.selector, beacon.roundFor(of_)));
        beacon.postSeed{gas: 10_000_000}(of_, point);
    }

    /// @notice Walks the instructions, so that data of a push is not taken for one.
    function hasForbidden(bytes memory code) private pure returns (bool) {
        for (uint256 i = 0; i < code.length; i++) {
            uint8 op = uint8(code[i]);
            if (op == 0xf4 || op == 0xf2 || op == 0xff) return true;
            if (op == 0xfe) return false;
            if (op >= 0x60 && op <= 0x7f) i += op - 0x5f;
        }
        return false;
    }
}
