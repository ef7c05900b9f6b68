// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Worthless money for devnets
/// @notice Anybody mints any amount. Never list it on a network with real money.
contract TestStablecoin is ERC20, ERC20Permit {
    constructor() ERC20("Holdfast test dollar", "tUSD") ERC20Permit("Holdfast test dollar") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
