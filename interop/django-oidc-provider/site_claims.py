"""What UserInfo says of a user."""


def userinfo(claims, user):
    claims["email"] = user.email
    return claims
