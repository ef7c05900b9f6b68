// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Base} from "./support/Base.sol";
import {Handler} from "./support/Handler.sol";
import {HostileMoves} from "./support/HostileMoves.sol";
import {MoneyMoves} from "./support/MoneyMoves.sol";
import {ProvingMoves} from "./support/ProvingMoves.sol";

/// @notice Stateful invariants: after any sequence of moves, honest, careless and hostile, money and periods add up, and
/// at its end everybody can go on or leave. Each line that the settlement is to hold has a function `line_...` here; closing a
/// deal compares every purse inside the moves. What an invariant writes is thrown away, so checks that remember
/// (finality) stand in the moves.
contract InvariantsTest is Base {
    Handler private _handler;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() external {
        _handler = new Handler();
        _handler.setUp();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    /// @dev Moves that make others possible come more than once.
    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[40] memory moves = [
            MoneyMoves.deposit.selector,
            MoneyMoves.withdraw.selector,
            MoneyMoves.openDeal.selector,
            MoneyMoves.openDeal.selector,
            MoneyMoves.nextPeriod.selector,
            MoneyMoves.waitInThePeriod.selector,
            MoneyMoves.settle.selector,
            MoneyMoves.settleAll.selector,
            MoneyMoves.declareFault.selector,
            MoneyMoves.recover.selector,
            MoneyMoves.faultAndRecover.selector,
            MoneyMoves.topUp.selector,
            MoneyMoves.terminate.selector,
            MoneyMoves.close.selector,
            MoneyMoves.close.selector,
            MoneyMoves.release.selector,
            MoneyMoves.restock.selector,
            ProvingMoves.proveNext.selector,
            ProvingMoves.proveSome.selector,
            ProvingMoves.commitNext.selector,
            ProvingMoves.commitNext.selector,
            ProvingMoves.commitNext.selector,
            ProvingMoves.answerAudit.selector,
            ProvingMoves.answerAudit.selector,
            ProvingMoves.slashAudit.selector,
            ProvingMoves.askSomething.selector,
            ProvingMoves.askSomething.selector,
            ProvingMoves.reply.selector,
            ProvingMoves.timeout.selector,
            ProvingMoves.loseTwice.selector,
            ProvingMoves.seedsStop.selector,
            ProvingMoves.report.selector,
            ProvingMoves.onlySeed.selector,
            ProvingMoves.beAway.selector,
            HostileMoves.markWrongly.selector,
            HostileMoves.answerWrongly.selector,
            HostileMoves.slashEarly.selector,
            HostileMoves.closeWrongly.selector,
            HostileMoves.takeTooMuch.selector,
            HostileMoves.useBackDoors.selector
        ];
        bytes4[] memory all = new bytes4[](moves.length);
        for (uint256 i = 0; i < moves.length; i++) {
            all[i] = moves[i];
        }
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(_handler), all);
    }

    /// @notice From any reachable state honest parties can go on, and can leave with everything (rows 9 and 20): tried
    /// at the end of every run, by really doing it.
    function afterInvariant() external {
        uint256 before = vm.snapshotState();
        _handler.theProviderGoesOn();
        vm.revertToState(before);
        _handler.everybodyLeaves();
    }

    /// @notice Every line that the settlement is to hold. One campaign for all of them: each line would run the same moves
    /// again. The name of a line that breaks is in what forge prints.
    function invariant_everyLineHolds() external {
        this.line_solvencyPerToken();
        this.line_conservation();
        this.line_noBitWithoutAProofInsideTheWindow();
        this.line_paidAtMostRateTimesProvenSeconds();
        this.line_everySecondSettledAtMostOnce();
        this.line_paidRefundedAndEscrowedIsDeposited();
        this.line_slashAtMostCollateral();
        this.line_collateralReturnedAndSlashedIsPosted();
        this.line_feesAreAPartOfWhatIsPaid();
        this.line_nobodyStopsSettlementOrWithdrawal();
        this.line_signedTermsNeverChange();
        this.line_tree();
    }

    /// @notice Solvency per token (rows 8 and 12): tokens in the vault = free balances + what the market holds + stake +
    /// bonds; what the market holds = escrow and collateral of open deals + earnings + fees and forfeits.
    function line_solvencyPerToken() external view {
        IVault vault = _handler.theVault();
        address[2] memory tokens = _handler.theTokens();
        for (uint256 i = 0; i < 2; i++) {
            address money = tokens[i];
            uint256 earned = _handler.earned(money);
            uint256 owed = _handler.escrowAndCollateral(money) + earned + vault.feesAvailable(money);
            vm.assertEq(vault.heldOf(money), owed, "held");
            uint256 all = _handler.balances(money) - earned + vault.heldOf(money) + vault.stakedOf(money)
                + vault.bondedOf(money);
            vm.assertEq(_handler.tokensInVault(money), all, "tokens");
        }
    }

    /// @notice What came in = what went out + balances + escrow + collateral + stake + bonds + fees, per token.
    function line_conservation() external view {
        IVault vault = _handler.theVault();
        address[2] memory tokens = _handler.theTokens();
        for (uint256 i = 0; i < 2; i++) {
            address money = tokens[i];
            uint256 inside = _handler.balances(money) + _handler.escrowAndCollateral(money)
                + vault.stakedOf(money) + vault.bondedOf(money) + vault.feesAvailable(money);
            vm.assertEq(_handler.deposited(money), inside + _handler.withdrawn(money), "conservation");
        }
    }

    /// @notice No bit without a valid commitment or proof inside the window: of all periods there are, exactly those are
    /// marked that the moves proved or committed to in time and did not lose since; counts, misses and units agree.
    function line_noBitWithoutAProofInsideTheWindow() external view {
        _handler.comparePeriods();
    }

    /// @notice Paid = rate x proven seconds, rounded down once, and never above the deposit.
    function line_paidAtMostRateTimesProvenSeconds() external view {
        for (uint256 i = 0; i < _handler.dealCount(); i++) {
            IDealMarket.Deal memory deal = _handler.deal(i);
            DealTerms memory terms = _handler.termsAt(i);
            vm.assertEq(deal.paid, deal.proven * 1000 * terms.rate / 1e12, "paid");
            vm.assertLe(deal.paid, terms.deposit + deal.toppedUp, "within the deposit");
        }
    }

    /// @notice Every second is settled at most once: what a deal counts is the number of marked periods in its life,
    /// outside its faults, counted one by one.
    function line_everySecondSettledAtMostOnce() external view {
        for (uint256 i = 0; i < _handler.dealCount(); i++) {
            IDealMarket.Deal memory deal = _handler.deal(i);
            vm.assertEq(deal.proven, _handler.provenNaively(i), "proven periods");
            vm.assertLe(deal.proven, deal.end - deal.start, "no more than there are");
            vm.assertGe(deal.settledThrough, deal.start, "settled from its start");
        }
    }

    /// @notice Paid + refunded + escrowed = deposited, for every deal.
    function line_paidRefundedAndEscrowedIsDeposited() external view {
        for (uint256 i = 0; i < _handler.dealCount(); i++) {
            IDealMarket.Deal memory deal = _handler.deal(i);
            uint256 all = deal.paid + _handler.endingAt(i).refund + _handler.escrowAt(i);
            vm.assertEq(all, _handler.termsAt(i).deposit + deal.toppedUp, "deposited");
        }
    }

    /// @notice Slash <= collateral, and compensation <= the signed replacement cost. (Slashes of stake: every move that
    /// causes one checks that it is once per period and no more than the stake.)
    function line_slashAtMostCollateral() external view {
        for (uint256 i = 0; i < _handler.dealCount(); i++) {
            MoneyMoves.Ending memory ending = _handler.endingAt(i);
            DealTerms memory terms = _handler.termsAt(i);
            vm.assertLe(ending.compensation + ending.forfeited, terms.collateral, "slashed");
            vm.assertLe(ending.compensation, terms.replacementCost, "compensated");
        }
    }

    /// @notice Collateral returned + slashed = posted.
    function line_collateralReturnedAndSlashedIsPosted() external view {
        for (uint256 i = 0; i < _handler.dealCount(); i++) {
            if (_handler.deal(i).state != IDealMarket.DealState.Closed) continue;
            MoneyMoves.Ending memory ending = _handler.endingAt(i);
            uint256 all = ending.returned + ending.compensation + ending.forfeited;
            vm.assertEq(all, _handler.termsAt(i).collateral, "posted");
        }
    }

    /// @notice The fee account has 5 % of what was paid, once, and every forfeit; nothing else.
    function line_feesAreAPartOfWhatIsPaid() external view {
        address[2] memory tokens = _handler.theTokens();
        for (uint256 t = 0; t < 2; t++) {
            uint256 fees = _handler.forfeits(tokens[t]);
            for (uint256 i = 0; i < _handler.dealCount(); i++) {
                if (_handler.termsAt(i).token == tokens[t]) fees += _handler.deal(i).paid * 500 / 10_000;
            }
            vm.assertEq(_handler.theVault().feesCollected(tokens[t]), fees, "fees and forfeits");
        }
    }

    /// @notice No account can stop another's settlement or withdrawal: whatever client, provider and openers did, a
    /// stranger settles every deal, everybody takes its free balance, bystanders' periods become final by the clock.
    function line_nobodyStopsSettlementOrWithdrawal() external {
        _handler.everybodySettlesAndWithdraws();
    }

    /// @notice Signed terms never change: a deal is known by the hash of what was signed, its rate, provider and token
    /// are those, and it lasts no longer.
    function line_signedTermsNeverChange() external view {
        for (uint256 i = 0; i < _handler.dealCount(); i++) {
            IDealMarket.Deal memory deal = _handler.deal(i);
            DealTerms memory terms = _handler.termsAt(i);
            (bytes32 kept, bytes32 computed) = _handler.idAt(i);
            vm.assertEq(kept, computed, "the same id");
            bool same =
                deal.rate == terms.rate && deal.provider == terms.provider && deal.token == terms.token;
            vm.assertTrue(same, "as signed");
            vm.assertLe(deal.end, deal.start + terms.periods, "no longer than signed");
        }
    }

    /// @notice The tree in storage is the one of a plain list of slots, and weighs what is in it.
    function line_tree() external view {
        _handler.compareTree();
    }
}
