// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {Base} from "./support/Base.sol";
import {Handler} from "./support/Handler.sol";

/// @notice Stateful invariants: after any sequence of the handler's moves, money and periods add up.
contract InvariantsTest is Base {
    Handler private _handler;

    function setUp() external {
        _handler = new Handler();
        _handler.setUp();
    }

    /// @notice Only the handler is called.
    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[] memory moves = new bytes4[](11);
        moves[0] = Handler.deposit.selector;
        moves[1] = Handler.withdraw.selector;
        moves[2] = Handler.openDeal.selector;
        moves[3] = Handler.nextPeriod.selector;
        moves[4] = Handler.proveNext.selector;
        moves[5] = Handler.settle.selector;
        moves[6] = Handler.settleAll.selector;
        moves[7] = Handler.declareFault.selector;
        moves[8] = Handler.terminate.selector;
        moves[9] = Handler.close.selector;
        moves[10] = Handler.release.selector;
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(_handler), moves);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @notice Tokens in the vault = free balances + what the market holds + stake (chain.md 6.4 row 12), and
    /// what the market holds = escrow and collateral of open deals + earnings + fees (row 8).
    function invariant_solvency() external view {
        (IVault vault, address token) = (_handler.theVault(), _handler.theToken());
        uint256 escrow = _handler.escrowAndCollateral();
        uint256 earned = _handler.earned();
        uint256 fees = vault.feesAvailable(token);
        vm.assertEq(vault.heldOf(token), escrow + earned + fees, "held");
        uint256 free = _handler.balances() - earned;
        vm.assertEq(_handler.tokensInVault(), free + vault.heldOf(token) + vault.stakedOf(token), "tokens");
    }

    /// @notice What came in = what went out + balances + escrow + collateral + stake + fees.
    function invariant_conservation() external view {
        uint256 inside = _handler.balances() + _handler.escrowAndCollateral()
            + _handler.theVault().stakedOf(_handler.theToken())
            + _handler.theVault().feesAvailable(_handler.theToken());
        vm.assertEq(_handler.deposited(), inside + _handler.withdrawn(), "conservation");
    }

    /// @notice Every deal was paid for its proven periods, counted naively, each once, and never more than its
    /// deposit; its fee is 5 % of that.
    function invariant_payments() external view {
        uint256 fees;
        for (uint256 i = 0; i < _handler.dealCount(); i++) {
            IDealMarket.Deal memory deal = _handler.deal(i);
            uint256 expected = _handler.provenNaively(i);
            vm.assertEq(deal.proven, expected, "proven periods");
            vm.assertEq(deal.paid, expected * deal.rate * 1000 / 1e12, "paid");
            vm.assertLe(deal.paid, _handler.depositOf(i), "within the deposit");
            vm.assertLe(deal.settledThrough, deal.end, "settled within the deal, or never");
            vm.assertGe(deal.settledThrough, deal.start, "settled from its start");
            fees += deal.paid * 500 / 10_000;
        }
        vm.assertGe(_handler.theVault().feesCollected(_handler.theToken()), fees, "fees");
    }

    /// @notice Bitmap and counts agree with a plain list of proven periods.
    function invariant_provenPeriods() external view {
        _handler.compareProven();
    }

    /// @notice The tree in storage is the one of a plain list of slots, and weighs what is in it.
    function invariant_tree() external view {
        _handler.compareTree();
    }
}
