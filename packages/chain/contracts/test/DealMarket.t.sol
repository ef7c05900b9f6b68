// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Network} from "./support/Network.sol";

contract DealMarketTest is Network {
    function test_Open_takesEscrowAndCollateral() external {
        DealTerms memory terms = termsOf(1, 5);
        bytes32 deal = open(terms);
        IDealMarket.Deal memory record = market.getDeal(deal);
        vm.assertEq(record.start, 1, "start");
        vm.assertEq(record.end, 11, "end");
        prove(1, 1);
        market.settle(deal);
    }
}
