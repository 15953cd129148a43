# The portal, and its static files as a front server would deliver them.
use Lemonldap::NG::Portal::Main;
use Plack::Builder;

builder {
    enable 'Static',
      path => sub { s{^/static/}{} },
      root => '/usr/share/lemonldap-ng/portal/htdocs/static';
    Lemonldap::NG::Portal::Main->run( {} );
};
